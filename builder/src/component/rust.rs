//! Our own device binaries: static, and built by a locked compiler, so that the bytes do not depend on the host's.
//!
//! The compiler is Debian's `rustc-web`, unpacked and run through its own loader, as the host's C library may be older; the
//! standard library of the target is a package set of its own, as is the sysroot to link against. Only `cargo` and the C
//! compiler are the host's.

use std::path::{Path, PathBuf};

use skerry_formats::{arch::Arch, name::Name};

use super::{
    Component, ComponentError, Program, cgo, key,
    workshop::{Job, Locked},
};
use crate::{fsx, store::Key, tool::Tool};

/// The build of one Rust component for one architecture.
pub(super) struct RustJob<'a> {
    pub(super) workspace: &'a Path,
    pub(super) cache: &'a Path,
    pub(super) component: &'a Component,
    pub(super) arch: Arch,
    pub(super) sources: &'a [Name],
    pub(super) parts: RustParts<'a>,
}

/// The locked parts of the compiler.
pub(super) struct RustParts<'a> {
    /// The compiler, with all libraries it runs on.
    pub(super) compiler: Locked<'a>,
    /// The standard library of the target.
    pub(super) library: Locked<'a>,
    /// The C library of the target.
    pub(super) sysroot: Locked<'a>,
}

impl Job for RustJob<'_> {
    fn inputs(&self, mut key: Key) -> Result<Key, ComponentError> {
        for file in ["Cargo.toml", "Cargo.lock"] {
            key = key.with(file, skerry_formats::digest::Digest::of(&fsx::read(&self.workspace.join(file))?));
        }
        for source in self.sources {
            key = key::with_files(key, &self.workspace.join(source.as_str()), self.workspace)?;
        }
        Ok(key
            .with("cc", cgo::compiler_version(self.arch)?)
            .with("rustc", self.parts.compiler.digest()?)
            .with("std", self.parts.library.digest()?)
            .with("sysroot", self.parts.sysroot.digest()?))
    }

    fn make(&self, program: &Program, out: &Path) -> Result<(), ComponentError> {
        let binary = program.binary.as_ref().map_or("", |name| name.as_str());
        let target = self.cache.join("cargo").join(self.arch.debian());
        // Another skerry would lay out its own compiler there.
        let _turn = fsx::turn(&target)?;
        let tool = self.cargo(&target)?.args([
            "build",
            "--locked",
            "--profile",
            "device",
            "--target",
            self.arch.rust_target(),
        ]);
        let tool = tool.args(["--package", &program.package, "--bin", binary, "--target-dir"]).args([&target]);
        let name = self.component.name.to_string();
        tool.output().map_err(|source| ComponentError::Build { component: name, source })?;
        Ok(fsx::copy(&target.join(self.arch.rust_target()).join("device").join(binary), out)?)
    }
}

impl RustJob<'_> {
    fn cargo(&self, target: &Path) -> Result<Tool, ComponentError> {
        let sysroot = self.parts.sysroot.unpacked()?;
        let triple = self.arch.rust_target();
        let variable = triple.replace('-', "_");
        let linker = format!("CARGO_TARGET_{}_LINKER", variable.to_uppercase());
        let compiler = cgo::compiler(self.arch);
        let tool =
            ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE"]
                .iter()
                .fold(Tool::new("cargo"), |tool, name| tool.inherit(name));
        Ok(tool
            .dir(self.workspace)
            .env("RUSTC", self.wrapper(target)?)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags(&cgo::link_arguments(&sysroot, self.arch)).join("\u{1f}"))
            .env(&linker, &compiler)
            .env(&format!("CC_{variable}"), &compiler)
            .env(&format!("CFLAGS_{variable}"), format!("-g0 {}", cgo::compile_argument(&sysroot))))
    }

    fn flags(&self, link: &[String]) -> Vec<String> {
        let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned(), "-Clink-arg=-Wl,--build-id=none".to_owned()];
        flags.extend(link.iter().map(|argument| format!("-Clink-arg={argument}")));
        flags.push(format!("--remap-path-prefix={}=/skerry", self.workspace.display()));
        if let Some(home) = cargo_home() {
            flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
        }
        flags
    }

    /// A program that runs the locked compiler with the target's standard library beside the host's.
    fn wrapper(&self, target: &Path) -> Result<PathBuf, ComponentError> {
        let root = self.parts.compiler.unpacked()?;
        let host = std::env::consts::ARCH;
        let library = self.parts.library.unpacked()?;
        let sysroot = target.join("sysroot");
        link_targets(&[&root, &library], &sysroot)?;
        let script = format!(
            "#!/bin/sh\nexec '{r}/usr/lib/{host}-linux-gnu/{loader}' --library-path '{r}/usr/lib/{host}-linux-gnu' \
             '{r}/usr/bin/rustc' --sysroot '{s}' \"$@\"\n",
            r = root.display(),
            s = sysroot.display(),
            loader = if host == "x86_64" { "ld-linux-x86-64.so.2" } else { "ld-linux-aarch64.so.1" },
        );
        let path = target.join("rustc");
        fsx::write_atomic(&path, script.as_bytes())?;
        fsx::set_mode(&path, 0o755)?;
        Ok(path)
    }
}

/// Links the standard library of each target into one sysroot.
fn link_targets(roots: &[&Path], sysroot: &Path) -> Result<(), ComponentError> {
    let to = sysroot.join("lib/rustlib");
    fsx::remove_dir_all(sysroot)?;
    fsx::create_dir_all(&to)?;
    for root in roots {
        for target in fsx::read_dir(&root.join("usr/lib/rustlib"))? {
            let link = to.join(target.file_name().unwrap_or_default());
            if fsx::symlink_metadata(&link)?.is_none() {
                fsx::symlink(&target, &link)?;
            }
        }
    }
    Ok(())
}

fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// The architecture that the compiler itself runs on.
pub(super) fn host() -> Result<Arch, ComponentError> {
    let kernel = std::env::consts::ARCH;
    Arch::of_kernel(kernel).ok_or(ComponentError::Host { arch: kernel })
}
