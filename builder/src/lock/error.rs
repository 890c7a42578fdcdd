//! Why there is no lock, or no use of it.

use std::path::PathBuf;

use super::{Drift, SetName, scripts::Unreviewed};
use crate::{
    archive::{ArchiveError, deb::DebError, name::PackageId, resolve::ResolveError},
    catalog::DataError,
    fetch::FetchError,
    fsx::FsError,
    report::Explain,
    store::StoreError,
};

/// A lock that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A set cannot be resolved.
    #[error("package set `{set}` cannot be resolved")]
    Resolve {
        /// The set.
        set: SetName,
        /// Why not.
        #[source]
        source: ResolveError,
    },
    /// Packages cannot be got.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A package cannot be taken apart.
    #[error("cannot read package `{id}`")]
    Deb {
        /// The package.
        id: PackageId,
        /// What is wrong.
        #[source]
        source: DebError,
    },
    /// Packages have scripts that nobody has reviewed.
    #[error("{}", Unreviewed::list(.0))]
    Unreviewed(Vec<Unreviewed>),
    /// The lock is not what the recipes ask for.
    #[error(transparent)]
    Drift(#[from] Drift),
    /// The lock has no such set.
    #[error("the lock has no package set `{name}`")]
    NoSet {
        /// The set.
        name: SetName,
    },
    /// The lock contradicts itself.
    #[error("{}: {why}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// How.
        why: String,
    },
    /// A data file, or the lock's own text.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The lock cannot be put into words.
    #[error("cannot write the lock as TOML")]
    Toml(#[from] toml::ser::Error),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl From<StoreError> for LockError {
    fn from(error: StoreError) -> Self {
        Self::Fetch(error.into())
    }
}

impl Explain for LockError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Archive(error) => error.hint(),
            Self::Resolve { source, .. } => source.hint(),
            Self::Fetch(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Drift(error) => error.hint(),
            Self::Unreviewed(_) => Some(
                "read it, make the builder do what matters of it, then add the entry to `recipes/scripts.toml`"
                    .to_owned(),
            ),
            Self::NoSet { .. } => Some("lock anew: `skerry lock --update`".to_owned()),
            Self::Broken { .. } => Some("make it anew: `skerry lock --update`".to_owned()),
            Self::Deb { .. } | Self::Toml(_) | Self::Fs(_) => None,
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Archive(error) => error.exit_code(),
            Self::Fetch(error) => error.exit_code(),
            Self::Data(error) => error.exit_code(),
            Self::Drift(_) | Self::NoSet { .. } => 3,
            _ => 1,
        }
    }
}
