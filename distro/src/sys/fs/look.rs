//! Looking, where text or a plain file is not what is looked at.

#![expect(clippy::disallowed_methods, reason = "a part of the one place")]

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use skerry_formats::digest::{Digest, Hasher};

use super::{Result, at, maybe};

/// The whole file.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    at("read", path, fs::read(path))
}

/// The digest of the whole file, which need not fit into memory.
pub fn digest(path: &Path) -> Result<Digest> {
    let mut file = super::open(path)?;
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 256 * 1024]);
    loop {
        let count = at("read", path, file.read(&mut buffer))?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

/// The whole file as text, with what is not UTF-8 replaced.
pub fn read_lossy(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&read_bytes(path)?).into_owned())
}

/// Where a link leads; `None` if there is none.
pub fn read_link(path: &Path) -> Result<Option<PathBuf>> {
    maybe("read link", path, fs::read_link(path))
}

/// Where a path really leads, with no link in it; the end of it that is not there stays as it is spelled.
pub fn real(path: &Path) -> Result<PathBuf> {
    for there in path.ancestors() {
        let Some(mut found) = maybe("look at", there, fs::canonicalize(there))? else { continue };
        found.extend(path.strip_prefix(there).into_iter().flatten());
        return Ok(found);
    }
    Ok(path.to_owned())
}

/// The folders in a folder, links not followed, sorted; none if there is no such folder.
pub fn folders(path: &Path) -> Result<Vec<PathBuf>> {
    let is_folder = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    Ok(super::list(path)?.into_iter().filter(is_folder).collect())
}

/// The names in a folder that are UTF-8, sorted; none if there is no such folder.
pub fn names(path: &Path) -> Result<Vec<String>> {
    let paths = super::list(path)?;
    Ok(paths.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
}

/// What a file system has, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// In all.
    pub total_mib: u64,
    /// For anyone to use.
    pub free_mib: u64,
}

/// The space of the file system that a path is on, or would be on if it were made.
pub fn space(path: &Path) -> Result<Space> {
    let there = path.ancestors().find(|place| place.exists()).unwrap_or_else(|| Path::new("/"));
    let stat = at("look at", there, nix::sys::statvfs::statvfs(there).map_err(Into::into))?;
    let mib = |blocks| ((u128::from(stat.fragment_size()) * u128::from(blocks)) >> 20).try_into().unwrap_or(u64::MAX);
    Ok(Space { total_mib: mib(stat.blocks()), free_mib: mib(stat.blocks_available()) })
}
