//! Processor architectures, in the spelling of each tool that names them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An architecture that images are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86; Debian and Go call it `amd64`.
    Amd64,
    /// 64-bit ARM; Debian and Go call it `arm64`.
    Arm64,
}

/// A word that names no architecture.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown architecture: `{0}`; known: `amd64`, `arm64`")]
pub struct UnknownArch(String);

impl Arch {
    /// All architectures.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// Debian's, Go's and the container world's name.
    #[must_use]
    pub const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The kernel's name (`uname -m`), also used by systemd, QEMU and GNU triplets.
    #[must_use]
    pub const fn kernel(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// The architecture that the kernel calls so.
    #[must_use]
    pub fn of_kernel(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.kernel() == name)
    }

    /// Debian's multiarch tuple, the folder under `usr/lib` that libraries lie in.
    #[must_use]
    pub const fn multiarch(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
        }
    }

    /// Rust's target triple for our static device binaries.
    #[must_use]
    pub const fn rust_target(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The suffix UEFI gives removable-media loaders: `BOOTX64.EFI`, `BOOTAA64.EFI`.
    #[must_use]
    pub const fn efi(self) -> &'static str {
        match self {
            Self::Amd64 => "x64",
            Self::Arm64 => "aa64",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.debian())
    }
}

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(word: &str) -> Result<Self, UnknownArch> {
        Self::ALL.into_iter().find(|arch| arch.debian() == word).ok_or_else(|| UnknownArch(word.to_owned()))
    }
}
