//! What a build made, as later stages take it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use skerry_formats::{digest::Digest, name::Name, version::Version};

use super::{Component, ComponentError, ImageSpec, Place};
use crate::{
    fsx, store,
    tree::{Content, Entry, TreePath},
};

/// A component's finished files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The component.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// Present if the file is a container image.
    pub image: Option<ImageName>,
    /// The files, in the order of the component's programs.
    pub files: Vec<BuiltFile>,
}

/// A container image by its full name, `localhost/sk8s/pause:3.10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName(pub(super) String);

/// One finished file, lying in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltFile {
    /// Where it goes.
    pub install: TreePath,
    /// Into which tree.
    pub into: Place,
    /// Permission bits.
    pub mode: u16,
    /// The bytes, in the store.
    pub content: Content,
}

/// `built.json` beside the files in the store.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) files: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRecord {
    pub(super) file: String,
    #[serde(serialize_with = "path_text", deserialize_with = "super::spec::tree_path")]
    pub(super) install: TreePath,
    pub(super) into: Place,
    pub(super) mode: u16,
    pub(super) size: u64,
    pub(super) digest: Digest,
}

pub(super) const RECORD: &str = "built.json";

impl FileRecord {
    /// Measures the file that lies at `path`, of which the record keeps the name.
    pub(super) fn of(path: &Path, install: &TreePath, place: (Place, u16)) -> Result<Self, ComponentError> {
        let (digest, size) = store::measure(path)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { file, install: install.clone(), into: place.0, mode: place.1, size, digest })
    }

    /// The file as it lies in a folder.
    pub(super) fn at(self, folder: &Path) -> BuiltFile {
        let content = Content::Stored { path: folder.join(self.file), size: self.size, digest: self.digest };
        BuiltFile { install: self.install, into: self.into, mode: self.mode, content }
    }
}

impl BuiltFile {
    /// The entry to place into a tree, owned by root.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry::file(self.content.clone(), self.mode)
    }
}

impl std::fmt::Display for ImageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ImageName {
    /// The name of a component's image: its version is the tag.
    pub(super) fn of(component: &Component, spec: &ImageSpec) -> Self {
        Self(format!("{}:{}", spec.name, component.version))
    }
}

impl Built {
    /// What lies in a folder that the store made for this component.
    pub(super) fn open(component: &Component, folder: &Path) -> Result<Self, ComponentError> {
        let path = folder.join(RECORD);
        let invalid = |problem: String| ComponentError::Invalid { path: path.clone(), problem };
        let record: Record = serde_json::from_slice(&fsx::read(&path)?).map_err(|error| invalid(error.to_string()))?;
        Ok(Self {
            name: component.name.clone(),
            version: component.version.clone(),
            image: component.image.as_ref().map(|spec| ImageName::of(component, spec)),
            files: record.files.into_iter().map(|file| file.at(folder)).collect(),
        })
    }
}

fn path_text<S: serde::Serializer>(path: &TreePath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}

/// `images.json`: the full name of each image by its component's name, for `sk8s`.
#[must_use]
pub fn images_json(built: &[Built]) -> Vec<u8> {
    let names: BTreeMap<&str, &str> =
        built.iter().filter_map(|b| Some((b.name.as_str(), b.image.as_ref()?.0.as_str()))).collect();
    let lines: Vec<String> = names.iter().map(|(name, image)| format!("  \"{name}\": \"{image}\"")).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n")).into_bytes()
}

/// `versions.json`: the version of each component that sk8s runs or brings into a cluster, for `sk8s version --all`.
#[must_use]
pub fn versions_json(built: &[Built]) -> Vec<u8> {
    let of_sk8s = |file: &BuiltFile| sk8s::payload::path_of(Path::new(&file.install.to_string())).is_some();
    let ours = built.iter().filter(|built| built.files.iter().any(of_sk8s));
    let versions: BTreeMap<&Name, &Version> = ours.map(|built| (&built.name, &built.version)).collect();
    let mut text = serde_json::to_vec_pretty(&versions).unwrap_or_default();
    text.push(b'\n');
    text
}
