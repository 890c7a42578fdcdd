//! UEFI firmware of the host's distribution, without enrolled Secure Boot keys.

use std::path::{Path, PathBuf};

use skerry_formats::arch::Arch;

/// Firmware code and the template of its variable store, both raw flash images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Read-only code.
    pub code: PathBuf,
    /// Variables: a template as found, a private copy in a machine.
    pub vars: PathBuf,
}

/// No firmware on this host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no UEFI firmware for `{arch}` machines found; install the package `{package}`")]
pub struct NoFirmware {
    arch: Arch,
    package: &'static str,
}

/// Code and variables, by distribution: Debian 13, Debian 12, Fedora, Arch, openSUSE.
const AMD64: [(&str, &str); 5] = [
    ("usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("usr/share/OVMF/OVMF_CODE.fd", "usr/share/OVMF/OVMF_VARS.fd"),
    ("usr/share/edk2/ovmf/OVMF_CODE.fd", "usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("usr/share/edk2/x64/OVMF_CODE.4m.fd", "usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("usr/share/qemu/ovmf-x86_64-4m-code.bin", "usr/share/qemu/ovmf-x86_64-4m-vars.bin"),
];
const ARM64: [(&str, &str); 5] = [
    ("usr/share/AAVMF/AAVMF_CODE.no-secboot.fd", "usr/share/AAVMF/AAVMF_VARS.fd"),
    ("usr/share/AAVMF/AAVMF_CODE.fd", "usr/share/AAVMF/AAVMF_VARS.fd"),
    ("usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "usr/share/edk2/aarch64/vars-template-pflash.raw"),
    ("usr/share/edk2/aarch64/QEMU_CODE.fd", "usr/share/edk2/aarch64/QEMU_VARS.fd"),
    ("usr/share/qemu/aavmf-aarch64-code.bin", "usr/share/qemu/aavmf-aarch64-vars.bin"),
];

/// The first pair that lies under `root` (`/` but for tests).
///
/// # Errors
/// If there is none; the message names Debian's package.
pub fn find(arch: Arch, root: &Path) -> Result<Firmware, NoFirmware> {
    let (known, package) = match arch {
        Arch::Amd64 => (AMD64, "ovmf"),
        Arch::Arm64 => (ARM64, "qemu-efi-aarch64"),
    };
    let pairs = known.into_iter().map(|(code, vars)| Firmware { code: root.join(code), vars: root.join(vars) });
    pairs.into_iter().find(|pair| pair.code.is_file() && pair.vars.is_file()).ok_or(NoFirmware { arch, package })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_firmware_names_the_package() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = find(Arch::Arm64, nowhere.path()).unwrap_err().to_string();
        assert_eq!(error, "no UEFI firmware for `arm64` machines found; install the package `qemu-efi-aarch64`");
    }

    #[test]
    fn code_without_variables_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = root.path().join(path);
            crate::files::create_dir_all(path.parent().unwrap()).unwrap();
            crate::files::write(&path, b"").unwrap();
        };
        put("usr/share/OVMF/OVMF_CODE_4M.fd");
        put("usr/share/edk2/x64/OVMF_CODE.4m.fd");
        put("usr/share/edk2/x64/OVMF_VARS.4m.fd");
        assert!(find(Arch::Amd64, root.path()).unwrap().code.ends_with("OVMF_CODE.4m.fd"));
    }
}
