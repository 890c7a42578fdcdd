//! Writing made folders into one file, to be taken in by the store of another host.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use skerry_formats::digest::Digest;
use tar::{EntryType, Header};

use super::{
    Key, Store, StoreError,
    manifest::{self, Item, Manifest},
};
use crate::fsx::{self, FsError};

/// Which made folders to export.
#[derive(Clone, Copy, Debug)]
pub enum Selection<'a> {
    /// All there are.
    All,
    /// Those of these keys; each must have been made.
    Keys(&'a [Key]),
}

/// An export that failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A store operation failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A wanted folder was never made.
    #[error("the store does not have {}", .0.short())]
    Missing(Digest),
    /// The output could not be written.
    #[error("could not write the exported store")]
    Write(#[source] io::Error),
}

impl From<FsError> for ExportError {
    fn from(error: FsError) -> Self {
        Self::Store(error.into())
    }
}

/// Fast to write, and most of what is exported are programs: they shrink to a third.
const LEVEL: i32 = 9;

/// Writes made folders as a zstd-compressed tar whose first member lists every file with its digest.
///
/// # Errors
/// If a wanted folder was never made, a file cannot be read, or the output cannot be written.
pub fn export(store: &Store, selection: Selection<'_>, to: impl Write) -> Result<(), ExportError> {
    let folders = select(store, selection)?;
    let mut made = BTreeMap::new();
    for (key, path) in &folders {
        made.insert(*key, manifest::list(path)?);
    }
    let manifest = Manifest { version: manifest::VERSION, made };
    let encoder = zstd::Encoder::new(to, LEVEL).map_err(ExportError::Write)?;
    let mut archive = tar::Builder::new(encoder);
    let text = serde_json::to_vec(&manifest).map_err(|error| ExportError::Write(error.into()))?;
    append(&mut archive, manifest::NAME, (&text[..], text.len() as u64)).map_err(ExportError::Write)?;
    for (key, folder) in &manifest.made {
        for (name, item) in folder {
            let Item::File { size, .. } = item else { continue };
            let file = fsx::open(&folders[key].join(name))?;
            append(&mut archive, &format!("{key}/{name}"), (file, *size)).map_err(ExportError::Write)?;
        }
    }
    let encoder = archive.into_inner().map_err(ExportError::Write)?;
    encoder.finish().and_then(|mut to| to.flush()).map_err(ExportError::Write)
}

fn select(store: &Store, selection: Selection<'_>) -> Result<BTreeMap<Digest, PathBuf>, ExportError> {
    match selection {
        Selection::Keys(keys) => keys
            .iter()
            .map(|key| Ok((key.digest(), store.made(key)?.ok_or(ExportError::Missing(key.digest()))?)))
            .collect(),
        Selection::All => all(&store.root().join("made")),
    }
}

fn all(made: &Path) -> Result<BTreeMap<Digest, PathBuf>, ExportError> {
    let mut folders = BTreeMap::new();
    if fsx::symlink_metadata(made)?.is_none() {
        return Ok(folders);
    }
    for shelf in fsx::read_dir(made)? {
        for path in fsx::read_dir(&shelf)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Ok(key) = name.parse() {
                folders.insert(key, path);
            }
        }
    }
    Ok(folders)
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, (from, size): (impl io::Read, u64)) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(size);
    archive.append_data(&mut header, name, from)
}
