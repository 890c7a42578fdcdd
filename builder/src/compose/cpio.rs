//! Trees as `newc` cpio archives, the initial RAM disk's format (Linux: `Documentation/driver-api/early-userspace/buffer-format.rst`).

use std::io::Read as _;

use crate::{
    fsx::{self, FsError},
    tree::{Content, Entry, Kind, Tree},
};

const TYPE_DIR: u32 = 0o040_000;
const TYPE_FILE: u32 = 0o100_000;
const TYPE_LINK: u32 = 0o120_000;

/// The archive of a tree, the same bytes for the same tree: sorted, inodes counted from 1, no times, no devices. Its
/// length is a multiple of four, so that archives can be put one behind the other.
///
/// # Errors
/// If a file of the store cannot be read.
pub fn archive(tree: &Tree) -> Result<Vec<u8>, FsError> {
    let mut out = Vec::new();
    for (index, (path, entry)) in tree.iter().enumerate() {
        let data = data_of(entry)?;
        push(&mut out, &Member { inode: index + 1, name: path.as_str(), entry, data: &data });
    }
    let trailer = Entry { mode: 0, ..Entry::file(Content::from_bytes(Vec::new()), 0) };
    push(&mut out, &Member { inode: 0, name: "TRAILER!!!", entry: &trailer, data: &[] });
    Ok(out)
}

struct Member<'a> {
    inode: usize,
    name: &'a str,
    entry: &'a Entry,
    data: &'a [u8],
}

fn data_of(entry: &Entry) -> Result<Vec<u8>, FsError> {
    match &entry.kind {
        Kind::Dir => Ok(Vec::new()),
        Kind::Symlink(target) => Ok(target.as_bytes().to_vec()),
        Kind::File(Content::Bytes(bytes)) => Ok(bytes.to_vec()),
        Kind::File(Content::Stored { path, size, .. }) => {
            let mut bytes = Vec::new();
            fsx::during("read", path, fsx::open(path)?.take(*size).read_to_end(&mut bytes))?;
            Ok(bytes)
        }
    }
}

fn push(out: &mut Vec<u8>, member: &Member<'_>) {
    let Entry { kind, mode, uid, gid, .. } = member.entry;
    let kind = match kind {
        Kind::Dir => TYPE_DIR,
        Kind::File(_) if member.inode == 0 => 0,
        Kind::File(_) => TYPE_FILE,
        Kind::Symlink(_) => TYPE_LINK,
    };
    let links = if kind == TYPE_DIR { 2 } else { 1 };
    let [inode, size, name_size] = [member.inode, member.data.len(), member.name.len() + 1].map(|field| field as u32);
    out.extend_from_slice(b"070701");
    for field in [inode, kind | u32::from(*mode), *uid, *gid, links, 0, size, 0, 0, 0, 0, name_size, 0] {
        out.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    out.extend_from_slice(member.name.as_bytes());
    out.push(0);
    pad(out);
    out.extend_from_slice(member.data);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zero bytes behind the end mark's own.
    fn pad_of(bytes: &[u8]) -> usize {
        bytes.iter().rev().take_while(|byte| **byte == 0).count() - 1
    }

    #[test]
    fn headers_are_aligned_and_the_end_is_marked() {
        let mut tree = Tree::default();
        tree.insert("etc/modules".parse().unwrap(), Entry::file(Content::from_bytes(*b"hello"), 0o644)).unwrap();
        let bytes = archive(&tree).unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let at = |text: &[u8]| bytes.windows(text.len()).position(|window| window == text);
        assert_eq!(at(b"070701000000010000"), Some(0));
        assert_eq!(at(b"070701000000020000" as &[u8]).unwrap() % 4, 0);
        assert_eq!(at(b"hello").unwrap() % 4, 0);
        assert_eq!(at(b"TRAILER!!!\0").unwrap() + 11, bytes.len() - pad_of(&bytes));
    }
}
