//! Where the cluster's objects are kept: made ready before its component starts, looked at before it is trusted, moved from
//! one kind to another.

mod check;
mod compare;
mod migrate;
mod ready;
mod tools;

use std::path::PathBuf;

pub use check::{begun, check, here};
pub use migrate::{MigrateError, Migrated, migrate};
pub use ready::{component, copy_proof, folder};
pub(crate) use tools::word;
pub use tools::{Summary, Tool, Tools};

use crate::sys::{fs::FsError, process::ProcessError};

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
}
