//! A tree as one compressed layer.

use std::io::{self, Read, Write};

use skerry_formats::digest::{Digest, Hasher};
use tar::{EntryType, Header};

use super::OciError;
use crate::{
    fsx,
    tree::{Content, Entry, Kind, Tree, TreePath},
};

/// Decompressed once a start, stored for ever: worth the strongest ordinary level.
const LEVEL: i32 = 19;

/// A finished layer.
pub(super) struct Layer {
    /// Digest of the tar stream before compression.
    pub(super) plain: Digest,
    /// The compressed bytes.
    pub(super) bytes: Vec<u8>,
}

/// Digests what passes through.
struct Tee<W> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Layer {
    /// Packs a tree: sorted by path, with numeric owners and no times.
    pub(super) fn of(tree: &Tree) -> Result<Self, OciError> {
        let memory = |source| OciError::Write { name: "layer".to_owned(), source };
        let encoder = zstd::Encoder::new(Vec::new(), LEVEL).map_err(memory)?;
        let mut builder = tar::Builder::new(Tee { inner: encoder, hasher: Hasher::default() });
        for (path, entry) in tree.iter() {
            append(&mut builder, path, entry)?;
        }
        let tee = builder.into_inner().map_err(memory)?;
        let bytes = tee.inner.finish().map_err(memory)?;
        Ok(Self { plain: tee.hasher.finish(), bytes })
    }
}

fn append(builder: &mut tar::Builder<impl Write>, path: &TreePath, entry: &Entry) -> Result<(), OciError> {
    let failed = |source| OciError::Write { name: path.to_string(), source };
    let xattrs: Vec<(String, &[u8])> =
        entry.xattrs.iter().map(|(name, value)| (format!("SCHILY.xattr.{name}"), value.as_slice())).collect();
    if !xattrs.is_empty() {
        builder.append_pax_extensions(xattrs.iter().map(|(name, value)| (name.as_str(), *value))).map_err(failed)?;
    }
    let mut header = Header::new_gnu();
    header.set_mode(entry.mode.into());
    header.set_uid(entry.uid.into());
    header.set_gid(entry.gid.into());
    header.set_mtime(0);
    header.set_size(0);
    match &entry.kind {
        Kind::Dir => {
            header.set_entry_type(EntryType::Directory);
            builder.append_data(&mut header, format!("{}/", path.as_str()), io::empty()).map_err(failed)
        }
        Kind::Symlink(target) => {
            header.set_entry_type(EntryType::Symlink);
            builder.append_link(&mut header, path.as_str(), target).map_err(failed)
        }
        Kind::File(content) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(content.len());
            builder.append_data(&mut header, path.as_str(), open(content)?).map_err(failed)
        }
    }
}

fn open(content: &Content) -> Result<Box<dyn Read + '_>, OciError> {
    Ok(match content {
        Content::Bytes(bytes) => Box::new(&bytes[..]),
        Content::Stored { path, .. } => Box::new(fsx::open(path)?),
    })
}
