//! What can be wrong with an image, and what to do about it.

use std::path::PathBuf;

use serde::Serialize;
use skerry_formats::{
    cmdline::BadCmdline,
    digest::Digest,
    envelope::{BadEnvelope, VerifyError},
    verity::BadSuperblock,
};

use crate::{fsx::FsError, report::Explain};

/// An image that cannot be inspected, or is not what its manifest says.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// No such image.
    #[error("no image `{}`", .0.display())]
    NoImage(PathBuf),
    /// Nothing says what the image should be.
    #[error("the image has no manifest: `{}`", .0.display())]
    NoManifest(PathBuf),
    /// The manifest is no signed document.
    #[error("cannot use manifest `{}`", .path.display())]
    Envelope {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: BadEnvelope,
    },
    /// The manifest is not to be believed.
    #[error("manifest `{}` is not to be believed", .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: VerifyError,
    },
    /// The image differs from its manifest.
    #[error("`{}` is not the image that was signed: {failed} of {total} checks failed", .path.display())]
    Wrong {
        /// The image.
        path: PathBuf,
        /// How many checks failed.
        failed: usize,
        /// How many there were.
        total: usize,
        /// The first that failed.
        #[source]
        first: Box<Problem>,
    },
}

impl Explain for InspectError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Fs(_) => return None,
            Self::NoImage(_) => "`skerry build` writes images into `out/`".to_owned(),
            Self::NoManifest(_) => "copy it from where the image was built; `skerry build` writes both".to_owned(),
            Self::Manifest { source: VerifyError::Untrusted { .. }, .. } => {
                "name the builder's public key: `--public-key FILE`; `skerry keys show` lists this host's".to_owned()
            }
            Self::Envelope { .. } | Self::Manifest { .. } => {
                "do not flash the image; copy both files again from where it was built".to_owned()
            }
            Self::Wrong { first, .. } if matches!(**first, Problem::Size { .. }) => {
                "the copy is not whole: copy or download the image again".to_owned()
            }
            Self::Wrong { .. } => "do not flash it; copy it again from where it was built, or build it anew".to_owned(),
        })
    }
}

/// A thing in an image that is not as the manifest says.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Too long or too short.
    #[error("the image has {found} bytes, not {wanted}")]
    Size {
        /// What it has.
        found: u64,
        /// What it should have.
        wanted: u64,
    },
    /// Other bytes.
    #[error("the {what} has SHA-256 {}…, not {}…", .found.short(), .wanted.short())]
    Digest {
        /// Of what.
        what: &'static str,
        /// What it has.
        found: Digest,
        /// What it should have.
        wanted: Digest,
    },
    /// The image ends too early for this.
    #[error("the image ends before {0} does")]
    CutShort(&'static str),
    /// A partition is not where the layout has it.
    #[error("the {table} partition table differs from layout 1 at {place}")]
    Partition {
        /// `primary` or `backup`.
        table: &'static str,
        /// Which partition, or the header.
        place: String,
    },
    /// The boot partition has no such file, or cannot be read.
    #[error("the boot partition has no readable `{0}`")]
    BootFile(String),
    /// The kernel image has no such part.
    #[error("the kernel image has no section `{0}`")]
    Section(&'static str),
    /// The kernel belongs to no root.
    #[error(transparent)]
    Cmdline(#[from] BadCmdline),
    /// The kernel belongs to another root.
    #[error("the kernel's command line names another root: hash {}…, {blocks} blocks", .hash.short())]
    OtherRoot {
        /// Its hash.
        hash: Digest,
        /// Its blocks.
        blocks: u64,
    },
    /// The initial RAM disk cannot be read.
    #[error("the initial RAM disk is no cpio archive")]
    Initrd,
    /// The root cannot fit where it should be.
    #[error("the manifest gives the root {0} blocks, more than a slot has")]
    RootSize(u64),
    /// No hash tree behind the root.
    #[error("behind the root lies no hash tree: {0}")]
    Superblock(BadSuperblock),
    /// The hash tree is for another count of blocks.
    #[error("the root's hash tree is for {found} blocks, not {wanted}")]
    Blocks {
        /// What it says.
        found: u64,
        /// What it should.
        wanted: u64,
    },
    /// Root or tree were changed.
    #[error("the root does not give root hash {}…: its data or its hash tree was changed", .0.short())]
    RootHash(Digest),
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
