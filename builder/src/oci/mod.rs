//! Container images composed from files, as OCI image archives that `ctr images import` takes.
//!
//! One layer, compressed with zstd, one image per archive; no time, no host name, no random value: the same files give the
//! same bytes. The format is the OCI image specification, version 1.1.

mod archive;
mod layer;
mod model;

use std::io;

use skerry_formats::arch::Arch;

use crate::{fsx::FsError, tree::Tree};

/// An image to be composed.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its full name, `localhost/sk8s/pause:3.10`.
    pub name: String,
    /// The architecture its programs are for.
    pub arch: Arch,
    /// How a container of it starts.
    pub run: Run,
    /// Its file system.
    pub root: Tree,
}

/// How a container starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// What runs.
    pub entrypoint: Vec<String>,
    /// Its arguments, or what runs if there is no entry point.
    pub command: Vec<String>,
    /// Variables as `NAME=value`.
    pub env: Vec<String>,
    /// `user:group` by number; root if absent.
    pub user: Option<String>,
}

/// An image that could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// A file of the image could not be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The archive could not be written.
    #[error("could not write image `{name}`")]
    Write {
        /// The image.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Image {
    /// Writes the image as an OCI image archive.
    ///
    /// # Errors
    /// If a file of the image cannot be read, or the archive cannot be written.
    pub fn write(&self, to: impl io::Write) -> Result<(), OciError> {
        let layer = layer::Layer::of(&self.root)?;
        archive::write(self, &layer, to).map_err(|source| OciError::Write { name: self.name.clone(), source })
    }
}

#[cfg(test)]
mod tests;
