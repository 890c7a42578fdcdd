//! What a node is now.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{step::Service, wanted::wanted};
use crate::{
    intent::Intent,
    sys::{
        fs::{self, FsError},
        host,
        process::Program,
    },
};

/// The largest file that is compared, in bytes.
const LIMIT: u64 = 4 << 20;

/// What a node is now, as far as an intent cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Its name.
    pub name: String,
    /// Files that the intent wants and that are there.
    pub files: BTreeMap<PathBuf, FileState>,
    /// Whether Kubernetes runs.
    pub kubernetes: Unit,
    /// Addresses on real interfaces by which others reach the node.
    pub addresses: Vec<IpAddr>,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
}

/// A unit's state, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Not asked to run.
    #[default]
    Stopped,
    /// Runs, or systemd is at it.
    Running,
}

/// Looks.
///
/// # Errors
/// If a file that is there cannot be read.
pub fn observe(intent: &Intent) -> Result<Observed, FsError> {
    let mut files = BTreeMap::new();
    for wanted in wanted(intent) {
        let path = wanted.file.path;
        if let Some(state) = state(&path)? {
            files.insert(path, state);
        }
    }
    let addresses = host::addresses().into_iter().map(|found| found.address).collect();
    Ok(Observed { name: host::name(), files, kubernetes: kubernetes(), addresses })
}

fn state(path: &Path) -> Result<Option<FileState>, FsError> {
    match fs::symlink_metadata(path)? {
        Some(found) if found.is_file() => {
            Ok(Some(FileState { bytes: fs::read_limited(path, LIMIT)?, mode: found.mode() & 0o7777 }))
        }
        _ => Ok(None),
    }
}

/// A unit that failed for good counts as stopped, so that it is tried again.
fn kubernetes() -> Unit {
    let ask = Program::new("/usr/bin/systemctl").args(["is-active", Service::Kubernetes.unit()]).output();
    let said = ask.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    match said.as_str() {
        "active" | "activating" | "reloading" | "deactivating" => Unit::Running,
        _ => Unit::Stopped,
    }
}
