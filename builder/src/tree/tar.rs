//! A tree as a tar stream, the same bytes for the same tree: sorted, numeric owners, one time, pax records for long
//! names and extended attributes (POSIX.1-2001 pax interchange format; `SCHILY.xattr.*` as libarchive, GNU tar and
//! mkfs.erofs read it).

use std::io::{self, Read, Write};

use super::{Content, Entry, Kind, Tree, TreePath};
use crate::fsx::{self, FsError};

const BLOCK: usize = 512;

/// A tree that could not be written out.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The receiver did not take the bytes.
    #[error("could not write the tree as tar")]
    Write(#[from] io::Error),
    /// A file of the store could not be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A file of the store has changed since it was taken in.
    #[error("`/{path}` has {got} bytes in the store, {wanted} were recorded")]
    Size {
        /// Path in the tree.
        path: String,
        /// The recorded size in bytes.
        wanted: u64,
        /// The size found in bytes.
        got: u64,
    },
}

/// Writes the tree, its root folder first; `mtime` in seconds since 1970 is every entry's time.
///
/// # Errors
/// If `out` fails, or a file of the store cannot be read or has another size than recorded.
pub fn write(tree: &Tree, mtime: u64, out: &mut impl Write) -> Result<(), TarError> {
    write_member(out, &Member { name: "./", entry: &Entry::dir(), mtime })?;
    write_entries(tree.iter(), mtime, out)
}

/// Writes entries as they come and the end of an archive; `mtime` as in [`write`].
///
/// # Errors
/// As [`write`].
pub fn write_entries<'a>(
    entries: impl IntoIterator<Item = (&'a TreePath, &'a Entry)>,
    mtime: u64,
    out: &mut impl Write,
) -> Result<(), TarError> {
    for (path, entry) in entries {
        let name = if entry.is_dir() { format!("{}/", path.as_str()) } else { path.as_str().to_owned() };
        write_member(out, &Member { name: &name, entry, mtime })?;
    }
    out.write_all(&[0; 2 * BLOCK])?;
    Ok(out.flush()?)
}

struct Member<'a> {
    name: &'a str,
    entry: &'a Entry,
    mtime: u64,
}

fn write_member(out: &mut impl Write, member: &Member<'_>) -> Result<(), TarError> {
    let records = pax_records(member);
    if !records.is_empty() {
        let mut header = header_of(&Member { name: "pax", entry: &Entry::dir(), mtime: member.mtime });
        header.set_entry_type(tar::EntryType::XHeader);
        header.set_mode(0o644);
        header.set_size(records.len() as u64);
        header.set_cksum();
        out.write_all(header.as_bytes())?;
        out.write_all(&records)?;
        pad(out, records.len() as u64)?;
    }
    let mut header = header_of(member);
    if let Kind::File(content) = &member.entry.kind {
        header.set_size(content.len());
    }
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    match &member.entry.kind {
        Kind::File(content) => write_content(out, member.name, content),
        Kind::Dir | Kind::Symlink(_) => Ok(()),
    }
}

fn header_of(member: &Member<'_>) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(match member.entry.kind {
        Kind::Dir => tar::EntryType::Directory,
        Kind::File(_) => tar::EntryType::Regular,
        Kind::Symlink(_) => tar::EntryType::Symlink,
    });
    header.set_mode(u32::from(member.entry.mode));
    header.set_uid(u64::from(member.entry.uid));
    header.set_gid(u64::from(member.entry.gid));
    header.set_mtime(member.mtime);
    header.set_size(0);
    fill(&mut header.as_old_mut().name, member.name);
    if let Kind::Symlink(target) = &member.entry.kind {
        fill(&mut header.as_old_mut().linkname, target);
    }
    header
}

/// Names longer than the field are cut here; their pax record has them whole.
fn fill(field: &mut [u8; 100], text: &str) {
    let count = text.len().min(field.len());
    field[..count].copy_from_slice(&text.as_bytes()[..count]);
}

fn pax_records(member: &Member<'_>) -> Vec<u8> {
    let mut records = Vec::new();
    if member.name.len() > 100 {
        push_record(&mut records, "path", member.name.as_bytes());
    }
    if let Kind::Symlink(target) = &member.entry.kind
        && target.len() > 100
    {
        push_record(&mut records, "linkpath", target.as_bytes());
    }
    for (name, value) in &member.entry.xattrs {
        push_record(&mut records, &format!("SCHILY.xattr.{name}"), value);
    }
    records
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn push_record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

fn write_content(out: &mut impl Write, name: &str, content: &Content) -> Result<(), TarError> {
    match content {
        Content::Bytes(bytes) => out.write_all(bytes)?,
        Content::Stored { path, size, .. } => {
            let mut file = fsx::open(path)?.take(*size);
            let got = io::copy(&mut file, out)?;
            if got != *size {
                return Err(TarError::Size { path: name.to_owned(), wanted: *size, got });
            }
        }
    }
    Ok(pad(out, content.len())?)
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let used = (size % BLOCK as u64) as usize;
    if used == 0 { Ok(()) } else { out.write_all(&[0; BLOCK][used..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tree {
        let mut tree = Tree::default();
        let mut ping = Entry::file(Content::from_bytes(*b"elf"), 0o755);
        ping.xattrs.insert("security.capability".to_owned(), vec![1, 0, 0xff, 2]);
        ping.gid = 42;
        tree.insert("usr/bin/ping".parse().unwrap(), ping).unwrap();
        tree.insert("bin".parse().unwrap(), Entry::symlink("usr/bin")).unwrap();
        let long = format!("usr/share/{}", "deep/".repeat(30));
        tree.insert(long.parse().unwrap(), Entry::dir()).unwrap();
        tree
    }

    fn written(tree: &Tree) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(tree, 1_700_000_000, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_tar_reader_finds_names_owners_links_and_attributes() {
        let bytes = written(&sample());
        assert_eq!(bytes.len() % BLOCK, 0);
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let header = entry.header().clone();
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            if path == "usr/bin/ping" {
                assert_eq!((header.gid().unwrap(), header.mode().unwrap()), (42, 0o755));
                let pax: Vec<_> = entry.pax_extensions().unwrap().unwrap().map(Result::unwrap).collect();
                assert_eq!(pax[0].key().unwrap(), "SCHILY.xattr.security.capability");
            }
            if path == "bin" {
                assert_eq!(entry.link_name().unwrap().unwrap().to_str(), Some("usr/bin"));
            }
            seen.push(path);
        }
        assert_eq!(&seen[..4], ["./", "bin", "usr/", "usr/bin/"]);
        assert!(seen.iter().any(|path| path.len() > 150));
    }

    #[test]
    fn a_pax_record_counts_its_own_digits() {
        let mut records = Vec::new();
        push_record(&mut records, "k", &[b'v'; 94]);
        assert_eq!(records.len(), 101);
        assert!(records.starts_with(b"101 k=v"));
    }

    #[test]
    fn a_store_file_that_shrank_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blob");
        fsx::write_atomic(&path, b"abc").unwrap();
        let digest = skerry_formats::digest::Digest::of(b"abcd");
        let mut tree = Tree::default();
        tree.insert("f".parse().unwrap(), Entry::file(Content::Stored { path, size: 4, digest }, 0o644)).unwrap();
        assert!(matches!(write(&tree, 0, &mut Vec::new()), Err(TarError::Size { wanted: 4, got: 3, .. })));
    }
}
