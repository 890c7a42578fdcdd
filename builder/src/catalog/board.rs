//! Boards: `boards/<name>/board.toml`.

use serde::Deserialize;
use skerry_formats::{arch::Arch, name::Name};

/// A board that images are built for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Board {
    /// The folder's name.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// Processor architecture.
    pub arch: Arch,
    /// How far we have seen it work.
    pub verification: Verification,
    /// The kernel and its modules.
    pub kernel: Kernel,
    /// The boot chain.
    pub boot: Boot,
    /// Debian packages with firmware, and what of them goes in.
    #[serde(default)]
    pub firmware: Firmware,
    /// Debian packages for this board's hardware alone.
    #[serde(default)]
    pub packages: Vec<String>,
}

/// How far a board has been seen to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// Booted in QEMU by the tests.
    Qemu,
    /// Its files are checked, nothing was booted.
    Files,
    /// Written from documentation.
    Paper,
}

/// The kernel of a board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kernel {
    /// Debian package, usually a meta package: `linux-image-cloud-amd64`.
    pub package: String,
    /// Words for the kernel's command line.
    pub cmdline: Vec<String>,
    /// Modules by name that the initial RAM disk loads, in this order, to reach the root.
    pub initrd_modules: Vec<String>,
    /// Modules in the root for this board's hardware, by name or folder (`kernel/drivers/net/ethernet/intel/`).
    #[serde(default)]
    pub modules: Vec<String>,
}

/// The boot chain of a board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Boot {
    /// What chooses the slot.
    pub backend: Backend,
}

/// What chooses the slot at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// systemd-boot on UEFI.
    Sdboot,
}

/// Firmware files of a board.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Firmware {
    /// Debian packages.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Paths below `usr/lib/firmware` to keep; folders end in `/`.
    #[serde(default)]
    pub files: Vec<String>,
}
