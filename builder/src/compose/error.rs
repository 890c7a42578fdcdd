//! Why a root cannot be composed.

use super::{accounts::AccountError, deb::DebError, kernel::KernelError, overlay::OverlayError, units::UnitError};
use crate::{
    fsx::FsError,
    report::Explain,
    tree::{BadPath, TreeError, TreePath},
};

/// A root that cannot be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A package cannot be taken apart.
    #[error("cannot unpack package `{package}`")]
    Package {
        /// The package.
        package: String,
        /// What is wrong with it.
        #[source]
        source: DebError,
    },
    /// A package is not made for a merged `/usr`.
    #[error("package `{package}` ships `{path}`, which a merged `/usr` has no place for")]
    UsrMerge {
        /// The package.
        package: String,
        /// The path.
        path: TreePath,
    },
    /// Two packages have different things at one path.
    #[error("packages `{first}` and `{second}` both ship `{path}`")]
    FileConflict {
        /// The path.
        path: TreePath,
        /// One package.
        first: String,
        /// The other.
        second: String,
    },
    /// A built file's place is taken.
    #[error("a package already ships `{path}`, where a component is to be installed")]
    Occupied {
        /// The path.
        path: TreePath,
    },
    /// The board asks for firmware that no package brings.
    #[error("no package brings firmware `{path}`")]
    NoFirmware {
        /// Path below `usr/lib/firmware`.
        path: String,
    },
    /// Accounts.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Units.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// The kernel and its modules.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// An overlay.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A word that is no path.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The tree did not take an entry.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Explain for ComposeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Account(error) => error.hint(),
            Self::Unit(error) => error.hint(),
            Self::Kernel(error) => error.hint(),
            Self::UsrMerge { package, .. } => {
                Some(format!("exclude `{package}`, or name a newer version of it in the lock"))
            }
            Self::FileConflict { first, second, .. } => Some(format!("exclude `{first}` or `{second}`")),
            Self::NoFirmware { .. } => Some("add its package to the board's `firmware.packages`".to_owned()),
            _ => None,
        }
    }
}
