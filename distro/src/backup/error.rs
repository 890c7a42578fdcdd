//! What can go wrong with a backup.

use std::{io, path::PathBuf};

use super::format::{BadManifest, MemberPath};
use crate::{
    datastore::DatastoreError,
    peers::EtcdError,
    pki::{NoRandomness, PkiError},
    sys::fs::FsError,
    version::{BadRecord, BadRelease, Refused},
};

/// A backup that could not be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The datastore.
    #[error(transparent)]
    Datastore(#[from] DatastoreError),
    /// The cluster's own etcd, which is asked for a copy.
    #[error(
        "the cluster's etcd does not answer here; where the majority of its members is lost, `sk8s stop` and repeat `sk8s \
         backup`, which then copies what is on the disk"
    )]
    Silent(#[source] EtcdError),
    /// The cluster's keys.
    #[error(transparent)]
    Keys(#[from] PkiError),
    /// There is nothing to save.
    #[error("no cluster was made in `{}` yet", .0.display())]
    NoCluster(PathBuf),
    /// The archive's stream.
    #[error("could not {0} the archive")]
    Stream(&'static str, #[source] io::Error),
    /// Not an archive of ours.
    #[error("not a backup of sk8s: it has no `manifest.json` in front")]
    NotOurs,
    /// The manifest.
    #[error("`manifest.json`")]
    Manifest(#[from] BadManifest),
    /// An entry that is not the one that the manifest names next.
    #[error("the archive is damaged: `{found}` where `{wanted}` should be")]
    Order {
        /// What the manifest names.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// An entry that is not what was saved.
    #[error("the archive is damaged: `{0}` is not what was saved")]
    Damaged(MemberPath),
    /// The archive ends early.
    #[error("the archive is cut off before `{0}`")]
    CutOff(MemberPath),
    /// sk8s runs.
    #[error("sk8s runs here (`{}` answers): stop it first", .0.display())]
    Running(PathBuf),
    /// Something would be overwritten.
    #[error(
        "`{}` holds a cluster already; restore into an empty folder with `--data-dir`, or {}", .folder.display(), removal(.backups)
    )]
    Occupied {
        /// Where the cluster is.
        folder: PathBuf,
        /// Backups that would go with it.
        backups: Vec<PathBuf>,
    },
    /// A restore that did not end.
    #[error("a restore did not end here: repeat `sk8s restore`, which begins again")]
    Unfinished,
    /// Another version made it.
    #[error("the backup is another version's")]
    Version(#[from] Refused),
    /// Our own version.
    #[error(transparent)]
    Own(#[from] BadRelease),
    /// Which version the restored data are.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// A restored member of etcd has numbers of its own.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A restored member of etcd has an address.
    #[error("this machine lacks {0}, which a member of etcd is restored with")]
    NoAddress(String),
    /// The configuration in the backup.
    #[error("the backup's configuration cannot be read; give another with `--config`")]
    Config(#[source] crate::config::ConfigError),
    /// The same.
    #[error("the backup's configuration asks for what cannot be; give another with `--config`")]
    Invalid(#[source] crate::config::Invalid),
    /// Our own files.
    #[error("could not write `manifest.json`")]
    Json(#[source] serde_json::Error),
}

/// How a cluster is removed.
fn removal(backups: &[PathBuf]) -> String {
    let with = "remove this one with `sk8s reset`";
    if backups.is_empty() {
        return with.to_owned();
    }
    let all: Vec<String> = backups.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("move {} elsewhere first, and then {with}, which takes all that lies beside it", all.join(", "))
}
