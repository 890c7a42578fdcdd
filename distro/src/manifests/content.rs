//! What the files of a stack hold.

use std::path::PathBuf;

use super::{
    document::{self, BadManifest, Object},
    watch::Snapshot,
    world::Folder,
};
use crate::sys::fs::FsError;

/// The objects of a stack.
#[derive(Debug, Default)]
pub struct Content {
    /// In the order of the files, and of the documents in each.
    pub objects: Vec<Object>,
    /// Files that hold none: they may be on their way, so nothing that the stack applied counts as gone for them.
    pub blank: Vec<PathBuf>,
}

/// Files that are no manifests.
#[derive(Debug, thiserror::Error)]
pub enum BadContent {
    /// One that cannot be read.
    #[error(transparent)]
    File(#[from] FsError),
    /// One that says something else.
    #[error("{}", .path.display())]
    Manifest {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BadManifest,
    },
}

impl Content {
    /// Whether it is all of something, as far as can be told without waiting for more.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.blank.is_empty() && !self.objects.is_empty()
    }
}

/// Reads the files of a stack; `None` if one of them is no more what it was when it was looked at.
///
/// # Errors
/// At the first that is no manifest.
pub fn read(folder: &mut impl Folder, files: &Snapshot) -> Result<Option<Content>, BadContent> {
    let mut content = Content::default();
    for (path, print) in files {
        let text = folder.read(path);
        if folder.print(path) != Some(*print) {
            return Ok(None);
        }
        let found = document::objects(&text?).map_err(|source| BadContent::Manifest { path: path.clone(), source })?;
        if found.is_empty() {
            content.blank.push(path.clone());
        }
        content.objects.extend(found);
    }
    Ok(Some(content))
}
