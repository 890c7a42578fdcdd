//! The files to carry. Pure.

use std::path::Path;

use skerry_formats::payload::{FileEntry, FilePath, Mode};

use super::OneFileError;
use crate::{
    component::{Built, BuiltFile, images_json},
    tree::Content,
};

/// A file to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) path: FilePath,
    pub(super) mode: Mode,
    pub(super) content: Content,
}

/// The files of the components at their places and the list of images, sorted by path.
pub(super) fn parts(built: &[Built]) -> Result<Vec<Part>, OneFileError> {
    let files = built.iter().flat_map(|built| built.files.iter().map(move |file| part(built, file)));
    let mut parts = files.collect::<Result<Vec<_>, _>>()?;
    let list = sk8s::paths::Paths::default().images_list();
    if let Some(path) = sk8s::payload::path_of(&list) {
        parts.push(Part { path, mode: Mode::Data, content: Content::from_bytes(images_json(built)) });
    }
    parts.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(parts)
}

impl Part {
    /// What the index says of it.
    pub(super) fn entry(&self) -> FileEntry {
        let (path, size, sha256) = (self.path.clone(), self.content.len(), self.content.digest());
        FileEntry { path, mode: self.mode, size, sha256 }
    }
}

fn part(built: &Built, file: &BuiltFile) -> Result<Part, OneFileError> {
    let (component, install) = (&built.name, &file.install);
    let place = || OneFileError::Place { component: component.clone(), path: install.clone() };
    let path = sk8s::payload::path_of(Path::new(&install.to_string())).ok_or_else(place)?;
    let mode = match file.mode {
        0o644 => Mode::Data,
        0o755 => Mode::Program,
        mode => return Err(OneFileError::Mode { component: component.clone(), path: install.clone(), mode }),
    };
    Ok(Part { path, mode, content: file.content.clone() })
}
