//! Writes an archive: the manifest first, then every entry as it says.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use skerry_formats::digest::{Digest, Hasher};

use super::{
    error::BackupError,
    format::{MANIFEST, Manifest, Member, MemberPath, Readable},
};
use crate::sys::fs;

/// What goes into an archive.
#[derive(Debug)]
pub(super) struct Entry {
    pub path: MemberPath,
    pub readable: Readable,
    pub content: Content,
}

/// Where an entry's bytes are.
#[derive(Debug)]
pub(super) enum Content {
    /// Here.
    Bytes(Vec<u8>),
    /// In a file that nobody else writes to.
    File(PathBuf),
}

/// zstd's own usual level: a small board needs a second for ten megabytes.
const LEVEL: i32 = 3;

impl Entry {
    /// The entry as the manifest names it.
    pub(super) fn member(&self) -> Result<Member, BackupError> {
        let (size, sha256) = match &self.content {
            Content::Bytes(bytes) => (bytes.len() as u64, Digest::of(bytes)),
            Content::File(path) => {
                let mut sum = Sum::default();
                io::copy(&mut fs::open(path)?, &mut sum).map_err(|source| BackupError::Stream("measure", source))?;
                (sum.size, sum.hasher.finish())
            }
        };
        Ok(Member { path: self.path.clone(), size, sha256, readable: self.readable })
    }
}

/// Counts and digests what is written to it.
#[derive(Default)]
pub(super) struct Sum {
    pub size: u64,
    pub hasher: Hasher,
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes an archive of these entries, which the manifest was made from.
pub(super) fn write(out: &mut dyn Write, manifest: &Manifest, entries: &[Entry]) -> Result<(), BackupError> {
    let failed = |source| BackupError::Stream("write", source);
    let text = serde_json::to_vec_pretty(manifest).map_err(BackupError::Json)?;
    let mut encoder = zstd::Encoder::new(out, LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    let mut archive = tar::Builder::new(encoder);
    archive.append_data(&mut header(manifest, text.len() as u64), MANIFEST, text.as_slice()).map_err(failed)?;
    for member in &manifest.members {
        let content = entries.iter().find(|entry| entry.path == member.path).map(|entry| &entry.content);
        let (name, mut header) = (member.path.as_str(), header(manifest, member.size));
        let written = match content {
            Some(Content::Bytes(bytes)) => archive.append_data(&mut header, name, bytes.as_slice()),
            Some(Content::File(path)) => archive.append_data(&mut header, name, fs::open(path)?),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        written.map_err(failed)?;
    }
    let mut encoder = archive.into_inner().map_err(failed)?;
    encoder.do_finish().and_then(|()| encoder.flush()).map_err(failed)
}

fn header(manifest: &Manifest, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(manifest.made_at);
    header.set_uid(0);
    header.set_gid(0);
    header
}
