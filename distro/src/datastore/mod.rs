//! Where the cluster's objects are kept: made ready before its component starts, looked at before it is trusted, moved from
//! one kind to another.

mod check;
mod compare;
mod migrate;
mod note;
mod ready;
mod tools;

use std::path::PathBuf;

pub use check::{begun, check, here, is_made, objects, present};
pub use migrate::{MigrateError, Migrated, migrate};
pub use note::note;
pub use ready::{component, copy_proof, folder};
pub(crate) use tools::word;
pub use tools::{Summary, Tool, Tools};

use crate::{
    peers::KnownError,
    sys::{fs::FsError, process::ProcessError},
};

/// A datastore that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatastoreError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// Its program.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Its program's words, which name thing, cause and what to do.
    #[error("the datastore cannot be used: {0}")]
    Refused(String),
    /// The answer of a tool.
    #[error("`{tool}` answered something else than was asked")]
    Answer {
        /// Which tool.
        tool: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The configuration changed to etcd, but the objects are still in SQLite.
    #[error(
        "the configuration asks for etcd, but the cluster's objects are in `{}`; move them with `sk8s storage migrate`, or \
         move that file away to begin with an empty cluster", .0.display()
    )]
    NotMigrated(PathBuf),
    /// The other way round.
    #[error(
        "the configuration asks for SQLite, but the cluster's objects are in `{}`; set `spec.storage.type` to `etcd`, or \
         move that folder away to begin with an empty cluster", .0.display()
    )]
    StillEtcd(PathBuf),
    /// The configuration changed to a server of somebody else's, but the objects are still on this machine.
    #[error(
        "the configuration asks for a server that is not sk8s' own, but the cluster's objects are in `{}`; set `spec.storage` as \
         it was, or move that away to go on with what the server holds", .0.display()
    )]
    StillHere(PathBuf),
    /// A move to etcd did not end.
    #[error("a move of the objects from SQLite to etcd was cut off: repeat `sk8s storage migrate`, which ends it")]
    HalfMigrated,
    /// A member of etcd is gone, and would vote as if it had never promised anything.
    #[error(
        "`{}` holds no log of etcd, and this controller was one of several: if its disk is not mounted, mount it; if it is lost, \
         `sk8s etcd leave` with this node's name on another controller, then `sk8s reset` here and join with a new token; with no \
         other controller left, restore a backup instead", .0.display()
    )]
    Lost(PathBuf),
    /// What held the cluster's objects is no more.
    #[error(
        "`{}` is gone, and the cluster's objects were on this machine: if its disk is not mounted, mount it; if it is lost, `sk8s \
         reset`, then `sk8s restore` with a backup; to begin with an empty cluster under the same keys, remove `{}`",
        .database.display(), .note.display()
    )]
    Gone {
        /// Which file.
        database: PathBuf,
        /// What says so.
        note: PathBuf,
    },
    /// What is known of other controllers.
    #[error(transparent)]
    Known(#[from] KnownError),
}
