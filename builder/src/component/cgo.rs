//! Compiling and linking C against a locked sysroot: the headers and static libraries are the same on every host.

use std::path::Path;

use skerry_formats::arch::Arch;

use crate::tool::{Tool, ToolError};

/// The C compiler of an architecture, as Debian names it.
pub(super) fn compiler(arch: Arch) -> String {
    if arch.kernel() == std::env::consts::ARCH { "gcc".to_owned() } else { format!("{}-gcc", arch.multiarch()) }
}

/// The first line of the compiler's version: the part of it that is not locked.
pub(super) fn compiler_version(arch: Arch) -> Result<String, ToolError> {
    let output = Tool::new(compiler(arch)).args(["--version"]).output()?;
    Ok(String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned())
}

/// The argument that makes the compiler take headers from the sysroot.
pub(super) fn compile_argument(sysroot: &Path) -> String {
    format!("--sysroot={}", sysroot.display())
}

/// The arguments that make it take start files and libraries from there too.
///
/// `--sysroot` alone is not enough: a native compiler finds the host's start files and C library beside its own first, and
/// `-B` comes before both. Not for compiling: it would take the headers of another compiler version as its own.
pub(super) fn link_arguments(sysroot: &Path, arch: Arch) -> Vec<String> {
    let root = sysroot.display();
    let tuple = arch.multiarch();
    vec![compile_argument(sysroot), format!("-B{root}/usr/lib/{tuple}"), format!("-B{root}/usr/lib/gcc/{tuple}/{GCC}")]
}

/// The version in the name of the package `libgcc-14-dev`.
const GCC: u8 = 14;
