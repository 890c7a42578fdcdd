//! Why a file could not be got.

use std::io;

use crate::{archive::mirror::MirrorError, report::Explain, store::StoreError};

/// A file that could not be got.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The mirror has no such file.
    #[error("mirror `{mirror}` does not have `{path}`")]
    Gone {
        /// The mirror.
        mirror: String,
        /// The file's path from its top.
        path: String,
    },
    /// The mirror does not give it.
    #[error("mirror `{mirror}` answers {status} to `{path}`")]
    Refused {
        /// The mirror.
        mirror: String,
        /// The file's path from its top.
        path: String,
        /// The status of HTTP.
        status: u16,
    },
    /// The line broke, and broke again each time it was taken up.
    #[error(
        "could not get `{path}` from mirror `{mirror}`: {got} bytes came before {attempts} attempts in a row failed"
    )]
    Lost {
        /// The mirror.
        mirror: String,
        /// The file's path from its top.
        path: String,
        /// How many bytes came.
        got: u64,
        /// How many attempts failed in a row.
        attempts: u32,
        /// What the last one met.
        #[source]
        source: io::Error,
    },
    /// It is larger than such a file may be.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// The file's path.
        path: String,
        /// What it may have.
        limit: u64,
    },
    /// Locked packages have left the mirror.
    #[error("locked packages are no longer on the mirror: {}", names(.0))]
    PackagesGone(Vec<String>),
    /// It is not what it must be, or could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no mirror to get it from.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Explain for FetchError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::PackagesGone(_) => Some(
                "lock what the mirror has now: `skerry lock --update`; or build from a folder that `skerry vendor` made: \
                 `--mirror FOLDER`"
                    .to_owned(),
            ),
            Self::Gone { .. } => Some("give another mirror with `--mirror`".to_owned()),
            Self::Lost { .. } => Some("run it again: what came whole is kept; or give another mirror with `--mirror`".to_owned()),
            Self::Store(StoreError::Mismatch { .. }) => {
                Some("the mirror is damaged or in the middle of an update: run it again later, or give another with `--mirror`".to_owned())
            }
            Self::Mirror(error) => error.hint(),
            Self::Refused { .. } | Self::TooLarge { .. } | Self::Store(_) => None,
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Mirror(error) => error.exit_code(),
            _ => 1,
        }
    }
}
