//! Images of registries in one archive, for machines that reach none.

mod draft;
mod fetch;
mod layout;
mod list;

use std::path::{Path, PathBuf};

use skerry_formats::arch::Arch;

pub use fetch::bundle;
pub use list::{BadList, list};

use crate::{registry::PullError, sys::fs::FsError};

/// What is to be bundled, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// The processors that the images are for.
    pub arch: Arch,
    /// How many requests run at a time.
    pub requests: usize,
    /// Where the archive goes.
    pub to: Output,
}

/// Where an archive goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To a file, which gets its name only when the archive is whole.
    File(PathBuf),
    /// To standard output, once it is whole.
    Stdout,
}

/// An archive that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// An image.
    #[error(transparent)]
    Pull(#[from] Box<PullError>),
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// Standard output.
    #[error("could not write the archive to standard output")]
    Stdout(#[source] std::io::Error),
    /// A header of the archive.
    #[error("could not lay out the archive")]
    Layout(#[source] std::io::Error),
}

impl BundleError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pull(error) => error.cause.hint(),
            _ => None,
        }
    }
}

impl Output {
    /// `-` is standard output.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdout } else { Self::File(path.to_owned()) }
    }
}
