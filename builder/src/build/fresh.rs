//! Whether the artefacts of an earlier build are still what a build would write, so that nothing is done twice.
//!
//! A record in the store holds size, time of change and inode of every file that a build left, as `make` and `git` tell
//! whether a file is the one they knew. Its name is the digest of all that went in, the folder included.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use skerry_formats::{cmdline::RootRef, digest::Digest};

use super::{BuildError, Image};
use crate::{
    fsx::{self, Stamp},
    image::Artefact,
    store::{Key, Store},
};

/// What the store remembers of a build.
#[derive(Serialize, Deserialize)]
struct Record {
    artefacts: Vec<(Artefact, Stamp)>,
    root_hash: Digest,
    data_blocks: u64,
    root_bytes: u64,
    uki_bytes: u64,
    inputs: Digest,
}

/// The record of one set of inputs.
#[derive(Debug)]
pub struct Fresh {
    path: PathBuf,
}

impl Fresh {
    /// Where the record of these inputs lies.
    pub fn of(store: &Store, key: &Key) -> Self {
        Self { path: store.root().join("fresh").join(format!("{}.json", key.digest())) }
    }

    /// The image, if all its files are as they were left. A record that cannot be read is none.
    pub fn image(&self) -> Result<Option<Image>, BuildError> {
        let Some(record) = self.record()? else { return Ok(None) };
        for (artefact, stamp) in &record.artefacts {
            if fsx::stamp(&artefact.path)?.as_ref() != Some(stamp) {
                return Ok(None);
            }
        }
        Ok(Some(Image {
            artefacts: record.artefacts.into_iter().map(|(artefact, _)| artefact).collect(),
            root: RootRef { root_hash: record.root_hash, data_blocks: record.data_blocks },
            root_bytes: record.root_bytes,
            uki_bytes: record.uki_bytes,
            inputs: record.inputs,
        }))
    }

    /// Remembers the files of an image.
    pub fn remember(&self, image: &Image) -> Result<(), BuildError> {
        let stamped = |artefact: &Artefact| Ok(fsx::stamp(&artefact.path)?.map(|stamp| (artefact.clone(), stamp)));
        let artefacts: Result<Vec<_>, BuildError> =
            image.artefacts.iter().filter_map(|artefact| stamped(artefact).transpose()).collect();
        let record = Record {
            artefacts: artefacts?,
            root_hash: image.root.root_hash,
            data_blocks: image.root.data_blocks,
            root_bytes: image.root_bytes,
            uki_bytes: image.uki_bytes,
            inputs: image.inputs,
        };
        let text = serde_json::to_vec(&record).unwrap_or_default();
        Ok(fsx::write_atomic(&self.path, &text)?)
    }

    fn record(&self) -> Result<Option<Record>, BuildError> {
        match fsx::symlink_metadata(&self.path)? {
            Some(_) => Ok(serde_json::from_slice(&fsx::read(&self.path)?).ok()),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::image::ArtefactKind;

    fn image(path: PathBuf) -> Image {
        let digest = Digest::of(b"x");
        Image {
            artefacts: vec![Artefact { kind: ArtefactKind::Image, path, size: 1, sha256: digest }],
            root: RootRef { root_hash: digest, data_blocks: 7 },
            root_bytes: 1,
            uki_bytes: 2,
            inputs: digest,
        }
    }

    #[test]
    fn what_was_touched_replaced_or_removed_is_built_again() {
        let dir = tempfile::tempdir().unwrap();
        let fresh = Fresh::of(&Store::at(dir.path().join("store")), &Key::new("test"));
        let file = dir.path().join("a.img");
        assert!(fresh.image().unwrap().is_none(), "nothing is remembered");
        for change in ["append", "replace", "remove"] {
            fsx::write_atomic(&file, b"x").unwrap();
            fresh.remember(&image(file.clone())).unwrap();
            assert_eq!(fresh.image().unwrap().unwrap().root.data_blocks, 7);
            match change {
                "append" => fsx::open_rw(&file).unwrap().write_all(b"xy").unwrap(),
                "replace" => fsx::write_atomic(&file, b"y").unwrap(),
                _ => fsx::remove_file(&file).unwrap(),
            }
            assert!(fresh.image().unwrap().is_none(), "{change}");
        }
        fsx::write_atomic(&fresh.path, b"{").unwrap();
        assert!(fresh.image().unwrap().is_none(), "a broken record is none");
    }
}
