//! One thing to do, printable.

use std::{fmt, path::PathBuf};

use skerry_formats::seed::{HostName, Owner};

/// A file as it is to be.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub bytes: Vec<u8>,
    /// Permissions.
    pub mode: u32,
    /// Owner, if not root.
    pub owner: Option<Owner>,
}

impl fmt::Debug for File {
    /// Keys are among the files: the content is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({} bytes, {:04o}", self.path.display(), self.bytes.len(), self.mode)?;
        match &self.owner {
            Some(owner) => write!(f, ", {owner})"),
            None => f.write_str(")"),
        }
    }
}

/// A service of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Addresses and routes.
    Network,
    /// The clock.
    Time,
    /// Kubernetes.
    Kubernetes,
}

impl Service {
    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Network => "systemd-networkd.service",
            Self::Time => "systemd-timesyncd.service",
            Self::Kubernetes => "sk8s.service",
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Give the node its name.
    Name(HostName),
    /// Write a file, with the folders above it.
    Write(File),
    /// Let systemd read its units again.
    ReadUnits,
    /// Start or restart a service.
    Restart(Service),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "name the node `{name}`"),
            Self::Write(file) => write!(f, "write {file}"),
            Self::ReadUnits => f.write_str("let systemd read its units again"),
            Self::Restart(service) => write!(f, "restart `{}`", service.unit()),
        }
    }
}
