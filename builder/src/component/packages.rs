//! Where a component's Debian packages come from: a sysroot to link against, a file to take as it is.

use std::{fmt, path::PathBuf};

use skerry_formats::digest::Digest;

/// Locked package sets by name (`sysroot/amd64`); the digest is known from the lock alone, the files only when asked for.
pub trait PackageSets: fmt::Debug + Sync {
    /// The digest of all packages of the set.
    ///
    /// # Errors
    /// If there is no such set.
    fn digest(&self, set: &str) -> Result<Digest, Box<dyn std::error::Error + Send + Sync>>;

    /// A folder with the packages of the set unpacked, fetched when needed.
    ///
    /// # Errors
    /// If there is no such set, or its packages cannot be had.
    fn unpacked(&self, set: &str) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>>;
}

/// No packages at all; every question is an error.
#[derive(Clone, Copy, Debug)]
pub struct NoPackages;

#[derive(Debug, thiserror::Error)]
#[error("there are no package sets here")]
struct NoSet;

impl PackageSets for NoPackages {
    fn digest(&self, _set: &str) -> Result<Digest, Box<dyn std::error::Error + Send + Sync>> {
        Err(Box::new(NoSet))
    }

    fn unpacked(&self, _set: &str) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>> {
        Err(Box::new(NoSet))
    }
}
