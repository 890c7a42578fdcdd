//! Reads an archive, and believes nothing that its manifest does not say.

use std::{io::Read, path::Path};

use super::{
    error::BackupError,
    format::{MANIFEST, MANIFEST_LIMIT, Manifest, Member, Readable},
    write::Sum,
};
use crate::sys::{
    accounts::Account,
    fs::{self, Access},
};

/// Unpacks an archive into a folder of one's own, where what was unpacked before an error stays for the caller to remove.
///
/// # Errors
/// If the archive is none of ours, is damaged in any byte or cut off, or a file cannot be written.
pub(super) fn unpack(input: impl Read, into: &Path) -> Result<Manifest, BackupError> {
    let failed = |source| BackupError::Stream("read", source);
    let decoder = zstd::Decoder::new(input).map_err(failed)?;
    let mut archive = tar::Archive::new(decoder);
    let manifest = members(&mut archive, into)?;
    // The end of the archive comes before the end of what was compressed, which has a checksum of its own.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(failed)?;
    Ok(manifest)
}

/// The manifest, and then every entry as it says.
fn members(archive: &mut tar::Archive<impl Read>, into: &Path) -> Result<Manifest, BackupError> {
    let failed = |source| BackupError::Stream("read", source);
    let mut entries = archive.entries().map_err(failed)?;
    let first = entries.next().and_then(Result::ok).filter(|entry| name(entry) == MANIFEST);
    let mut first = first.ok_or(BackupError::NotOurs)?;
    let mut text = Vec::new();
    first.by_ref().take(MANIFEST_LIMIT).read_to_end(&mut text).map_err(failed)?;
    drop(first);
    let manifest = Manifest::parse(&text)?;
    for member in &manifest.members {
        let entry = entries.next().ok_or_else(|| BackupError::CutOff(member.path.clone()))?.map_err(failed)?;
        let is_file = entry.header().entry_type().is_file();
        if !is_file || name(&entry) != member.path.as_str() {
            return Err(BackupError::Order { wanted: member.path.to_string(), found: name(&entry) });
        }
        take(member, entry, into)?;
    }
    match entries.next() {
        None => Ok(manifest),
        Some(Ok(entry)) => Err(BackupError::Order { wanted: "the end".to_owned(), found: name(&entry) }),
        Some(Err(source)) => Err(failed(source)),
    }
}

fn name<R: Read>(entry: &tar::Entry<'_, R>) -> String {
    String::from_utf8_lossy(&entry.path_bytes()).into_owned()
}

fn take(member: &Member, entry: impl Read, into: &Path) -> Result<(), BackupError> {
    let path = into.join(member.path.as_str());
    if let Some(folder) = path.parent() {
        fs::create_folder(folder, Access::Private, Account::ROOT)?;
    }
    let access = match member.readable {
        Readable::Owner => Access::Private,
        Readable::Everyone => Access::Public,
    };
    let mut measured = Measured { inner: entry, sum: Sum::default() };
    fs::receive(&path, access, &mut measured)?.map_err(|source| BackupError::Stream("read", source))?;
    let Sum { size, hasher } = measured.sum;
    if (size, hasher.finish()) == (member.size, member.sha256) {
        Ok(())
    } else {
        Err(BackupError::Damaged(member.path.clone()))
    }
}

/// Measures what is read through it.
struct Measured<R> {
    inner: R,
    sum: Sum,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.sum.hasher.update(bytes);
        self.sum.size += bytes.len() as u64;
        Ok(count)
    }
}
