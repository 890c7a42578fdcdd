//! What is on a machine, as far as a reset must know.

use std::{collections::BTreeSet, path::PathBuf};

use super::{mounts::Mount, netfilter::Table, places::Places, process::Process};
use crate::{service::Control, sys::netlink::Link};

/// A look at a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// All processes but this one.
    pub processes: Vec<Process>,
    /// All mounts, in the order in which they were made.
    pub mounts: Vec<Mount>,
    /// All network interfaces.
    pub links: Vec<Link>,
    /// All tables of nftables.
    pub tables: Vec<Table>,
    /// What the programs of iptables have saved: each program's name with its text.
    pub saved: Vec<(&'static str, String)>,
    /// The control groups that kubelets, runtimes and our services make, each after its parent.
    pub groups: Vec<PathBuf>,
    /// The places that all kubelets and runtimes share, each before its parent.
    pub common: Vec<Common>,
    /// Of our folders those that are there, by their real paths.
    pub folders: BTreeSet<PathBuf>,
    /// Of our folders' names those that are links.
    pub symlinks: BTreeSet<PathBuf>,
    /// Files of ours elsewhere.
    pub files: Vec<PathBuf>,
    /// What our folders tell of things that lie elsewhere.
    pub ledger: Ledger,
    /// The socket of the runtime that was not ours, if there was one.
    pub runtime: Option<PathBuf>,
    /// Services that are installed.
    pub services: Vec<Control>,
    /// Accounts that we have made.
    pub accounts: Vec<&'static str>,
}

/// A folder that is not ours alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// Which.
    pub folder: PathBuf,
    /// What it holds.
    pub entries: Vec<Entry>,
}

/// Something in such a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// Whose it may be.
    pub holder: Holder,
}

/// What tells whose something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// We.
    Ours,
    /// The pod of this UID.
    Pod(String),
    /// The network namespace that is mounted here.
    Namespace(PathBuf),
    /// A socket that nobody listens at.
    Nobody,
    /// Nothing tells.
    Unknown,
}

/// What our folders tell of things that lie elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// UIDs of the kubelet's pods.
    pub pods: BTreeSet<String>,
    /// Sockets of containerd's shims.
    pub sockets: BTreeSet<PathBuf>,
}

impl Found {
    /// Whether sk8s has ever run here: else nothing at a common place is ours.
    pub(super) fn is_here(&self, places: &Places) -> bool {
        let real = &places.real;
        self.folders.contains(&real.data) || self.folders.contains(&real.run) || !self.services.is_empty()
    }
}
