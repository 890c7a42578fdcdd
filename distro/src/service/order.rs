//! What is to run as a service: a program, its words, its environment.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{environment::Variable, openrc, systemd};
use crate::sys::fs;

/// Roles that run as a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceRole {
    /// The control plane, with or without workloads.
    Controller,
    /// Workloads.
    Worker,
}

impl ServiceRole {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Controller, Self::Worker];

    /// The verb that runs it.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Worker => "worker",
        }
    }

    /// The role that a verb runs, if it runs one.
    #[must_use]
    pub fn of_verb(verb: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.verb() == verb)
    }

    /// The other one: a machine has at most one of the two.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Controller => Self::Worker,
            Self::Worker => Self::Controller,
        }
    }
}

impl fmt::Display for ServiceRole {
    /// The service's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sk8s{}", self.verb())
    }
}

/// What starts services at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// systemd.
    Systemd,
    /// OpenRC.
    OpenRc,
}

impl Init {
    /// All that are known.
    pub const ALL: [Self; 2] = [Self::Systemd, Self::OpenRc];

    /// The one that runs this system: systemd's own mark (sd_booted(3)), or OpenRC's state.
    #[must_use]
    pub fn detect() -> Option<Self> {
        let there = |path: &str| fs::exists(Path::new(path));
        if there("/run/systemd/system") {
            Some(Self::Systemd)
        } else if there("/run/openrc") {
            Some(Self::OpenRc)
        } else {
            None
        }
    }

    /// The file that describes a service.
    #[must_use]
    pub fn file(self, role: ServiceRole) -> PathBuf {
        match self {
            Self::Systemd => PathBuf::from(format!("/etc/systemd/system/{role}.service")),
            Self::OpenRc => PathBuf::from(format!("/etc/init.d/{role}")),
        }
    }

    /// The link that starts a service at boot.
    #[must_use]
    pub fn boot_link(self, role: ServiceRole) -> PathBuf {
        match self {
            Self::Systemd => PathBuf::from(format!("/etc/systemd/system/multi-user.target.wants/{role}.service")),
            Self::OpenRc => PathBuf::from(format!("/etc/runlevels/default/{role}")),
        }
    }

    /// The text of that file.
    #[must_use]
    pub fn text(self, order: &Order) -> String {
        match self {
            Self::Systemd => systemd::text(order),
            Self::OpenRc => openrc::text(order),
        }
    }

    /// The words after `sk8s` in such a text; none if it has been made unrecognisable.
    #[must_use]
    pub fn words(self, text: &str) -> Vec<String> {
        match self {
            Self::Systemd => systemd::words(text),
            Self::OpenRc => openrc::words(text),
        }
    }
}

/// Something that cannot be written into a service's description.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadOrder {
    /// A line break or the like.
    #[error("a service cannot have an argument with a control character: {0:?}")]
    Control(String),
    /// A program that is gone: it was replaced while it ran.
    #[error("this program is not where it was started from: `{}`", .0.display())]
    Gone(PathBuf),
}

/// What is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// As which service.
    pub role: ServiceRole,
    /// Absolute path of sk8s.
    pub program: PathBuf,
    /// The words after it, the verb first.
    pub words: Vec<String>,
    /// Its environment, beyond what the system gives.
    pub env: Vec<Variable>,
}

impl Order {
    /// A checked order.
    ///
    /// # Errors
    /// If a word has a control character, or the program's path has ended to be one.
    pub fn new(role: ServiceRole, program: PathBuf, words: Vec<String>) -> Result<Self, BadOrder> {
        if program.to_string_lossy().ends_with(" (deleted)") {
            return Err(BadOrder::Gone(program));
        }
        let own = program.to_string_lossy().into_owned();
        if let Some(bad) = words.iter().chain([&own]).find(|word| word.chars().any(char::is_control)) {
            return Err(BadOrder::Control(bad.clone()));
        }
        Ok(Self { role, program, words, env: Vec::new() })
    }

    /// The whole command line.
    pub(super) fn command(&self) -> Vec<String> {
        std::iter::once(self.program.display().to_string()).chain(self.words.iter().cloned()).collect()
    }
}
