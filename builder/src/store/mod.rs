//! The content-addressed store: blobs by their SHA-256, and folders made by a step, by the digest of all that went in.
//!
//! ```text
//! <cache>/blobs/<2 hex>/<64 hex>       one file, its name is the digest of its bytes
//! <cache>/made/<2 hex>/<64 hex>/…      one folder, its name is the digest of its key
//! <cache>/tmp/                         work in progress; may be emptied when no build runs
//! ```

mod export;
mod import;
mod key;
mod manifest;
mod measure;

use std::{
    io::{Read, Write as _},
    path::{Path, PathBuf},
};

use skerry_formats::digest::{Digest, Hasher};

use crate::fsx::{self, FsError};

pub use export::{ExportError, Selection, export};
pub use import::{ImportError, import};
pub use key::Key;
pub use measure::{Measured, measure};

/// The store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// A store operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Bytes are not what their name says.
    #[error("content does not match: wanted {wanted} with sha256 {digest}, got {got_size} bytes with sha256 {got}")]
    Mismatch {
        /// What was wanted, for people.
        wanted: String,
        /// The digest that was wanted.
        digest: Digest,
        /// The digest of what came.
        got: Digest,
        /// How many bytes came.
        got_size: u64,
    },
}

impl Store {
    /// A store under a folder, which is made when needed.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of the store.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob of this digest lies or would lie.
    #[must_use]
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.root.join("blobs").join(&hex[..2]).join(hex)
    }

    /// The blob of this digest, if the store has it whole.
    pub fn blob(&self, digest: &Digest, size: u64) -> Result<Option<PathBuf>, StoreError> {
        let path = self.blob_path(digest);
        Ok((fsx::size(&path)? == Some(size)).then_some(path))
    }

    /// Takes in a blob, checking it while it is written; a mismatch leaves nothing behind.
    ///
    /// `wanted` names the thing for people; at most `size` + 1 bytes are read.
    pub fn put_blob(
        &self,
        wanted: &str,
        digest: &Digest,
        size: u64,
        mut from: impl Read,
    ) -> Result<PathBuf, StoreError> {
        let path = self.blob_path(digest);
        let mut file = fsx::temp_file_in(&self.tmp())?;
        let mut hasher = Hasher::default();
        let mut buffer = vec![0; 1 << 16];
        let mut total = 0;
        while total <= size {
            let count = fsx::during("receive", &path, from.read(&mut buffer))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            total += count as u64;
            let written = file.as_file_mut().write_all(&buffer[..count]);
            fsx::during("write", file.path(), written)?;
        }
        let got = hasher.finish();
        if got != *digest || total != size {
            return Err(StoreError::Mismatch { wanted: wanted.to_owned(), digest: *digest, got, got_size: total });
        }
        self.settle(&path)?;
        fsx::persist(file, &path)?;
        Ok(path)
    }

    /// The folder made for a key, if it was.
    pub fn made(&self, key: &Key) -> Result<Option<PathBuf>, StoreError> {
        self.made_as(&key.digest())
    }

    fn made_as(&self, key: &Digest) -> Result<Option<PathBuf>, StoreError> {
        let path = self.made_path(key);
        Ok(fsx::symlink_metadata(&path)?.map(|_| path))
    }

    /// A new empty folder to make something in, beside the store so that [`Store::keep`] is one rename.
    pub fn workspace(&self) -> Result<tempfile::TempDir, StoreError> {
        Ok(fsx::temp_dir_in(&self.tmp())?)
    }

    /// Keeps a finished folder under its key; if someone else was faster, theirs stays.
    pub fn keep(&self, key: &Key, folder: tempfile::TempDir) -> Result<PathBuf, StoreError> {
        self.keep_as(&key.digest(), folder)
    }

    fn keep_as(&self, key: &Digest, folder: tempfile::TempDir) -> Result<PathBuf, StoreError> {
        let path = self.made_path(key);
        self.settle(&path)?;
        fsx::set_mode(folder.path(), 0o755)?;
        match fsx::rename(folder.path(), &path) {
            Ok(()) => {
                let _moved = folder.keep();
                Ok(path)
            }
            Err(error) => self.made_as(key)?.ok_or_else(|| error.into()),
        }
    }

    fn made_path(&self, key: &Digest) -> PathBuf {
        let hex = key.to_string();
        self.root.join("made").join(&hex[..2]).join(hex)
    }

    fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn settle(&self, path: &Path) -> Result<(), StoreError> {
        path.parent().map_or(Ok(()), |parent| Ok(fsx::create_dir_all(parent)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_blob_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path());
        let digest = Digest::of(b"whole");
        assert!(matches!(store.put_blob("x", &digest, 5, &b"whol"[..]), Err(StoreError::Mismatch { .. })));
        assert_eq!(store.blob(&digest, 5).unwrap(), None);
        store.put_blob("x", &digest, 5, &b"whole"[..]).unwrap();
        assert!(store.blob(&digest, 5).unwrap().is_some());
    }

    #[test]
    fn a_made_folder_is_found_by_the_same_inputs_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path());
        let key = Key::new("test").with("input", "1");
        store.keep(&key, store.workspace().unwrap()).unwrap();
        assert!(store.made(&Key::new("test").with("input", "1")).unwrap().is_some());
        assert!(store.made(&Key::new("test").with("input", "2")).unwrap().is_none());
    }
}
