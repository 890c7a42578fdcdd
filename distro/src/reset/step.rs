//! One thing to remove.

use std::{fmt, path::PathBuf};

use crate::service::Control;

/// What a reset does, in order. The machine is looked at again before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Containers, their shims, components left over.
    Processes,
    /// What is mounted below our folders.
    Mounts,
    /// Interfaces.
    Interfaces,
    /// Tables and chains.
    Filters,
    /// What lies at places that all kubelets and runtimes share.
    Common,
    /// Control groups.
    Groups,
    /// Our folders.
    Folders,
    /// The service.
    Service,
    /// Accounts.
    Accounts,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Processes,
        Self::Mounts,
        Self::Interfaces,
        Self::Filters,
        Self::Common,
        Self::Groups,
        Self::Folders,
        Self::Service,
        Self::Accounts,
    ];
}

/// What stays of a folder that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// The folder, with nothing in it: something is mounted there, or it is to tell the next reset that we were here.
    Itself,
}

/// One thing to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// End a process.
    Kill {
        /// Its number.
        pid: i32,
        /// Its name.
        name: String,
    },
    /// Unmount.
    Unmount(PathBuf),
    /// Remove an interface.
    Interface {
        /// Its number.
        index: u32,
        /// Its name.
        name: String,
    },
    /// Remove a table of nftables: family and name.
    Table(String, String),
    /// Remove rules and chains of iptables.
    Chains {
        /// The program that takes the script.
        program: &'static str,
        /// What it is told.
        script: String,
    },
    /// Remove a file, a link or a folder with all it holds.
    Remove(PathBuf),
    /// Remove a folder that holds nothing any more.
    RemoveEmpty(PathBuf),
    /// Remove a control group.
    Group(PathBuf),
    /// Remove a folder of ours with all it holds.
    Folder(PathBuf, Keep),
    /// Remove a link to a folder of ours that is gone.
    Link(PathBuf),
    /// Remove the service.
    Service(Control),
    /// Remove an account.
    Account(String),
}

impl Step {
    /// Where it belongs in the order.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Kill { .. } => Stage::Processes,
            Self::Unmount(_) => Stage::Mounts,
            Self::Interface { .. } => Stage::Interfaces,
            Self::Table(..) | Self::Chains { .. } => Stage::Filters,
            Self::Remove(_) | Self::RemoveEmpty(_) => Stage::Common,
            Self::Group(_) => Stage::Groups,
            Self::Folder(..) | Self::Link(_) => Stage::Folders,
            Self::Service(_) => Stage::Service,
            Self::Account(_) => Stage::Accounts,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { pid, name } => write!(f, "process {pid}: {name}"),
            Self::Unmount(path) => write!(f, "mount: `{}`", path.display()),
            Self::Interface { name, .. } => write!(f, "network interface: {name}"),
            Self::Table(family, name) => write!(f, "nftables table: {family} {name}"),
            Self::Chains { program, .. } => write!(f, "{} chains", program.trim_end_matches("-restore")),
            Self::Remove(path) => write!(f, "`{}`", path.display()),
            Self::RemoveEmpty(path) | Self::Folder(path, Keep::Nothing) => write!(f, "folder: `{}`", path.display()),
            Self::Folder(path, Keep::Itself) => write!(f, "all in folder: `{}`", path.display()),
            Self::Link(path) => write!(f, "link: `{}`", path.display()),
            Self::Group(path) => write!(f, "control group: `{}`", path.display()),
            Self::Service(control) => write!(f, "service: {}", control.role),
            Self::Account(name) => write!(f, "account: {name}"),
        }
    }
}
