//! Unpacking all files into a folder. Three go on at once: unpacking, writing with digesting, and waiting for the disk.

use std::{
    io::{Read, Write as _},
    panic,
    path::{Path, PathBuf},
    sync::mpsc::{self, Sender},
    thread,
};

use skerry_formats::{
    digest::Hasher,
    payload::{BadPayload, FileEntry, Mode},
};

use super::{Damage, Payload, PayloadError, ahead::Ahead};
use crate::sys::fs::{self, Access};

/// Bytes written at a time.
const CHUNK: usize = 128 << 10;

const fn access(mode: Mode) -> Access {
    match mode {
        Mode::Data => Access::Public,
        Mode::Program => Access::Program,
    }
}

/// Unpacks all files into a new folder, and makes them last a power loss.
pub(super) fn all(payload: &Payload, into: &Path) -> Result<(), PayloadError> {
    let folders = payload.index().folders();
    fs::create_shared_folder(into)?;
    for folder in &folders {
        fs::create_shared_folder(&into.join(folder))?;
    }
    let stream = payload.stream()?;
    thread::scope(|scope| {
        let (written, to_sync) = mpsc::channel::<PathBuf>();
        let syncing = scope.spawn(move || to_sync.into_iter().try_for_each(|path| fs::persist(&path)));
        let done = files(payload, (Ahead::start(scope, stream), written), into);
        let synced = syncing.join().unwrap_or_else(|cause| panic::resume_unwind(cause));
        done?;
        Ok::<_, PayloadError>(synced?)
    })?;
    for folder in &folders {
        fs::persist(&into.join(folder))?;
    }
    Ok(fs::persist(into)?)
}

/// Writes the files one after the other, and hands on each that is whole.
fn files(
    payload: &Payload,
    (mut stream, written): (impl Read, Sender<PathBuf>),
    into: &Path,
) -> Result<(), PayloadError> {
    for entry in payload.index().files() {
        let path = into.join(entry.path.as_str());
        file((payload, entry), &mut stream, &path)?;
        // If nobody waits for the disk any more, the reason comes with the end of that.
        let _told = written.send(path);
    }
    match stream.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(payload.bad(BadPayload::Long)),
        Err(error) => Err(payload.bad(BadPayload::End(error))),
    }
}

fn file((payload, entry): (&Payload, &FileEntry), stream: &mut impl Read, path: &Path) -> Result<(), PayloadError> {
    let mut file = fs::create_new(path, access(entry.mode))?;
    let (mut hasher, mut left, mut chunk) = (Hasher::default(), entry.size, vec![0; CHUNK]);
    while left > 0 {
        let most = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let count = stream.read(&mut chunk[..most]).map_err(|error| payload.damaged(entry, Damage::Frame(error)))?;
        if count == 0 {
            return Err(payload.damaged(entry, Damage::Short { missing: left, size: entry.size }));
        }
        hasher.update(&chunk[..count]);
        fs::during("write", path, file.write_all(&chunk[..count]))?;
        left -= count as u64;
    }
    if hasher.finish() == entry.sha256 { Ok(()) } else { Err(payload.damaged(entry, Damage::Digest)) }
}
