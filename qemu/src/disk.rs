//! A machine's disk: an overlay that leaves the image untouched.

use std::path::Path;

use crate::files::{self, Result};
use crate::qcow2;

/// A disk's size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSize(pub u64);

impl DiskSize {
    /// Room for both root slots and 5 GiB of data.
    pub const DEFAULT: Self = Self(8 << 30);
}

/// Makes an empty overlay at `path` over the raw image `image`, never smaller than the image.
///
/// # Errors
/// If the image is missing or the overlay cannot be written.
pub fn overlay(path: &Path, image: &Path, size: DiskSize) -> Result<()> {
    let image = files::canonicalize(image)?;
    let least = files::size(&image)?.unwrap_or(0);
    let bytes = files::during("lay a disk over", &image, qcow2::overlay(&image, size.0.max(least)))?;
    files::write(path, &bytes)
}
