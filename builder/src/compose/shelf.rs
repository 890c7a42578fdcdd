//! Large packages taken apart once: the store keeps what came out as a plain tar, so that a rebuild after an edit does not
//! decompress them again.
//!
//! ```text
//! package.json   control stanza, count of members, size of the tar
//! data.tar       files, folders and links in the package's order
//! ```

use std::io::{BufReader, BufWriter};

use serde::{Deserialize, Serialize};
use skerry_formats::digest::{Digest, Hasher};

use super::{
    deb::{self, DebError, Unpacked},
    drop::DropTable,
    inputs::Package,
};
use crate::{
    fsx,
    store::{Key, Store},
    tree,
};

/// Smaller packages are taken apart anew each time: all of them together take less than a tenth of a second.
const LARGE: u64 = 128 << 10;
const RECORD: &str = "package.json";
const DATA: &str = "data.tar";

/// Packages without what the drop table names.
pub struct Shelf<'a> {
    store: &'a Store,
    drop: &'a DropTable,
    table: Digest,
}

#[derive(Serialize, Deserialize)]
struct Record {
    control: String,
    members: usize,
    bytes: u64,
}

impl<'a> Shelf<'a> {
    /// Packages cut by `drop`, the large ones kept in `store`.
    #[must_use]
    pub fn new(store: &'a Store, drop: &'a DropTable) -> Self {
        let mut hasher = Hasher::default();
        drop.paths.keys().for_each(|path| hasher.update(format!("{path}\0").as_bytes()));
        Self { store, drop, table: hasher.finish() }
    }

    /// A package's control stanza and files.
    ///
    /// # Errors
    /// If the package cannot be read, is damaged, or holds something that has no place in a tree; if the store fails.
    pub fn unpack(&self, package: &Package) -> Result<Unpacked, DebError> {
        if package.size < LARGE {
            return deb::unpack(&package.path, self.drop);
        }
        let key = Key::new("unpacked/1").with("package", package.digest).with("drop", self.table);
        if let Some(unpacked) = self.store.made(&key)?.and_then(|folder| read(&folder)) {
            return Ok(unpacked);
        }
        let unpacked = deb::unpack(&package.path, self.drop)?;
        let folder = self.store.workspace()?;
        write(&unpacked, folder.path())?;
        self.store.keep(&key, folder)?;
        Ok(unpacked)
    }
}

/// What a folder holds, if it is whole; the package itself can always be taken apart again.
fn read(folder: &std::path::Path) -> Option<Unpacked> {
    let record: Record = serde_json::from_slice(&fsx::read(&folder.join(RECORD)).ok()?).ok()?;
    let tar = folder.join(DATA);
    if fsx::size(&tar).ok()? != Some(record.bytes) {
        return None;
    }
    let mut data = tar::Archive::new(BufReader::with_capacity(1 << 18, fsx::open(&tar).ok()?));
    let entries = deb::entries(&mut data, &DropTable::default()).ok()?;
    (entries.len() == record.members).then_some(Unpacked { control: record.control, entries })
}

fn write(unpacked: &Unpacked, folder: &std::path::Path) -> Result<(), DebError> {
    let tar = folder.join(DATA);
    let mut out = BufWriter::with_capacity(1 << 20, fsx::create_new(&tar)?);
    tree::tar::write_entries(unpacked.entries.iter().map(|(path, entry)| (path, entry)), 0, &mut out)?;
    drop(out);
    let bytes = fsx::size(&tar)?.unwrap_or_default();
    let record = Record { control: unpacked.control.clone(), members: unpacked.entries.len(), bytes };
    Ok(fsx::write_atomic(&folder.join(RECORD), &serde_json::to_vec(&record).map_err(std::io::Error::from)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Content, Entry};

    fn unpacked() -> Unpacked {
        let path = |text: &str| text.parse().unwrap();
        let mut tool = Entry::file(Content::from_bytes(*b"tool"), 0o4755);
        tool.xattrs.insert("security.capability".to_owned(), vec![1, 0, 2]);
        tool.gid = 42;
        let long = format!("usr/share/{}", "long/".repeat(30));
        let entries = vec![
            (path("usr"), Entry::dir()),
            (path("usr/bin/tool"), tool),
            (path("usr/bin/alias"), Entry::symlink("tool")),
            (path(&format!("{long}file")), Entry::file(Content::from_bytes(Vec::new()), 0o644)),
        ];
        Unpacked { control: "Package: tool\n".to_owned(), entries }
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        write(&unpacked(), folder.path()).unwrap();
        assert_eq!(read(folder.path()), Some(unpacked()));
    }

    #[test]
    fn a_kept_package_that_is_not_whole_is_not_taken() {
        for harm in [&b""[..], b"short", &[0; 1 << 16]] {
            let folder = tempfile::tempdir().unwrap();
            write(&unpacked(), folder.path()).unwrap();
            let size = fsx::size(&folder.path().join(DATA)).unwrap().unwrap() as usize;
            fsx::write_atomic(&folder.path().join(DATA), &harm[..harm.len().min(size)]).unwrap();
            assert_eq!(read(folder.path()), None);
        }
    }
}
