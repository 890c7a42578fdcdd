//! The bytes of a file in a tree.

use std::{path::PathBuf, sync::Arc};

use skerry_formats::digest::Digest;

/// The bytes of a file: in memory, or in a file of the store that nobody changes.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In the content-addressed store.
    Stored {
        /// Where.
        path: PathBuf,
        /// Size in bytes.
        size: u64,
        /// Digest of the bytes.
        digest: Digest,
    },
}

impl Content {
    /// Content from text or bytes.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(Arc::from(bytes.into()))
    }

    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored { size, .. } => *size,
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::of(bytes),
            Self::Stored { digest, .. } => *digest,
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, {:?}", self.len(), self.digest())
    }
}
