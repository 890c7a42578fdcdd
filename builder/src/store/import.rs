//! Taking in what another store exported. Nothing of it is trusted: paths stay inside, every byte is checked, and a folder
//! becomes visible only when it is whole.

use std::{
    io::{self, Read, Write as _},
    path::Path,
};

use skerry_formats::digest::{Digest, Hasher};

use super::{
    Store, StoreError,
    manifest::{self, Folder, Item, Manifest},
};
use crate::fsx::{self, FsError};

/// An import that failed; folders finished before stay.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A store operation failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input could not be read.
    #[error("could not read the exported store")]
    Read(#[source] io::Error),
    /// The input is no exported store, or not one of this version.
    #[error("not an exported store: {0}")]
    Foreign(String),
    /// The input would write where it must not.
    #[error("refused to import {}: {reason}", .key.short())]
    Hostile {
        /// The folder.
        key: Digest,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<FsError> for ImportError {
    fn from(error: FsError) -> Self {
        Self::Store(error.into())
    }
}

/// The list of a store with some hundred components is far below.
const MANIFEST_LIMIT: u64 = 64 << 20;

/// Takes in an exported store; returns how many folders were new.
///
/// # Errors
/// If the input cannot be read, is no exported store, has a path that leaves its folder, or bytes that are not those listed.
pub fn import(store: &Store, from: impl Read) -> Result<usize, ImportError> {
    let decoder = zstd::Decoder::new(from).map_err(ImportError::Read)?;
    let mut archive = tar::Archive::new(decoder);
    let mut members = archive.entries().map_err(ImportError::Read)?;
    let manifest = read_manifest(&mut members)?;
    let mut new = 0;
    for (key, folder) in &manifest.made {
        let work = store.workspace()?;
        let known = store.made_as(key)?.is_some();
        for (name, item) in folder {
            place(&work.path().join(name), item, || member(&mut members, &format!("{key}/{name}")))?;
        }
        if !known {
            store.keep_as(key, work)?;
            new += 1;
        }
    }
    match members.next() {
        None => Ok(new),
        Some(_) => Err(ImportError::Foreign("it has more than it lists".to_owned())),
    }
}

fn read_manifest<'a, R: Read + 'a>(
    members: &mut impl Iterator<Item = io::Result<tar::Entry<'a, R>>>,
) -> Result<Manifest, ImportError> {
    let mut text = Vec::new();
    member(members, manifest::NAME)?.take(MANIFEST_LIMIT).read_to_end(&mut text).map_err(ImportError::Read)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| ImportError::Foreign(error.to_string()))?;
    if manifest.version != manifest::VERSION {
        return Err(ImportError::Foreign(format!("version {} is not known here", manifest.version)));
    }
    let hostile = |(key, folder): (&Digest, &Folder)| Some((*key, manifest::objection(folder)?));
    match manifest.made.iter().find_map(hostile) {
        Some((key, reason)) => Err(ImportError::Hostile { key, reason }),
        None => Ok(manifest),
    }
}

/// The next member, which must be the one the list says.
fn member<'a, R: Read + 'a>(
    members: &mut impl Iterator<Item = io::Result<tar::Entry<'a, R>>>,
    wanted: &str,
) -> Result<tar::Entry<'a, R>, ImportError> {
    let entry = members.next().ok_or_else(|| ImportError::Foreign(format!("`{wanted}` is missing")))?;
    let entry = entry.map_err(ImportError::Read)?;
    if entry.path_bytes() == wanted.as_bytes() {
        return Ok(entry);
    }
    let got = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    Err(ImportError::Foreign(format!("`{got}` where `{wanted}` should be")))
}

fn place<R: Read>(
    path: &Path,
    item: &Item,
    source: impl FnOnce() -> Result<R, ImportError>,
) -> Result<(), ImportError> {
    match item {
        Item::Folder {} => Ok(fsx::create_dir_all(path)?),
        Item::Link { target } => Ok(fsx::symlink(Path::new(target), path)?),
        Item::File { mode, size, digest } => {
            receive(path, source()?, (digest, *size))?;
            Ok(fsx::set_mode(path, mode & 0o777)?)
        }
    }
}

/// Writes a file of at most `size` bytes, and checks it.
fn receive(path: &Path, from: impl Read, (digest, size): (&Digest, u64)) -> Result<(), ImportError> {
    let mut file = fsx::create_new(path)?;
    let mut from = from.take(size.saturating_add(1));
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    let mut got_size = 0;
    loop {
        let count = from.read(&mut buffer).map_err(ImportError::Read)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        fsx::during("write", path, file.write_all(&buffer[..count]))?;
        got_size += count as u64;
    }
    let got = hasher.finish();
    if got == *digest && got_size == size {
        return Ok(());
    }
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(StoreError::Mismatch { wanted, digest: *digest, got, got_size }.into())
}

#[cfg(test)]
mod tests;
