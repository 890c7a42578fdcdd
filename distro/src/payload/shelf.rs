//! The folder of laid out components: found, or made in one step.

use std::path::{Path, PathBuf};

use super::{Payload, PayloadError, extract, sweep};
use crate::sys::{
    clock::Stopwatch,
    fs,
    lock::{Lock, Share},
};

/// The folder in the data folder.
pub(super) const SHELF: &str = "components";

/// Components that lie ready; nobody removes them while this value lives.
#[derive(Debug)]
pub struct Ready {
    folder: PathBuf,
    _hold: Lock,
}

impl Ready {
    /// The folder they lie in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Has all that a program carries lie ready below the data folder. What lies there whole is used as it is.
///
/// # Errors
/// If the payload is damaged, or the data folder takes no more. Nothing half done bears the final name.
pub fn ensure(payload: &Payload, data: &Path) -> Result<Ready, PayloadError> {
    let shelf = data.join(SHELF);
    let folder = shelf.join(payload.digest().to_string());
    if let Some(ready) = take(payload, &folder)? {
        return Ok(ready);
    }
    fs::create_shared_folder(&shelf)?;
    let turn = turn(&shelf)?;
    sweep::drafts(&shelf)?;
    if let Some(ready) = take(payload, &folder)? {
        return Ok(ready);
    }
    make(payload, &folder)?;
    let ready = take(payload, &folder)?.ok_or(PayloadError::Lost(folder));
    drop(turn);
    ready
}

/// Waits until nobody else lays anything out.
fn turn(shelf: &Path) -> Result<Option<Lock>, PayloadError> {
    if let Some(turn) = Lock::at_once(shelf)? {
        return Ok(Some(turn));
    }
    tracing::info!("another sk8s works in `{}`: waiting for it", shelf.display());
    Ok(Lock::wait(shelf, Share::Alone)?)
}

/// Takes hold of a folder, if it is there and every file in it has its size.
fn take(payload: &Payload, folder: &Path) -> Result<Option<Ready>, PayloadError> {
    let Some(hold) = Lock::wait(folder, Share::Shared)? else { return Ok(None) };
    // It may have been removed, and even made again, while we waited.
    if !hold.is_of(folder)? {
        return Ok(None);
    }
    for file in payload.index().files() {
        if fs::size(&folder.join(file.path.as_str()))? != Some(file.size) {
            return Ok(None);
        }
    }
    Ok(Some(Ready { folder: folder.to_owned(), _hold: hold }))
}

/// Lays everything out beside the final name, and gives it that name.
fn make(payload: &Payload, folder: &Path) -> Result<(), PayloadError> {
    let clock = Stopwatch::start();
    let (files, mib) = (payload.index().files().len(), payload.index().size() >> 20);
    tracing::info!("unpacking {files} files of components, {mib} MiB, into `{}`", folder.display());
    let draft = sweep::draft_of(folder);
    let made = extract::all(payload, &draft).and_then(|()| put_in_place(&draft, folder));
    if made.is_err()
        && let Err(error) = fs::remove_tree(&draft)
    {
        tracing::warn!(%error, "left over until the next start");
    }
    made?;
    tracing::info!("components unpacked in {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// A folder that has the name already has lost files; what runs from it goes on.
fn put_in_place(draft: &Path, folder: &Path) -> Result<(), PayloadError> {
    let old = fs::exists(folder).then(|| sweep::take_name(folder)).transpose()?;
    fs::rename(draft, folder)?;
    fs::persist(folder.parent().unwrap_or(folder))?;
    if let Some(old) = old {
        tracing::warn!("`{}` was not whole: it was made anew", folder.display());
        fs::remove_tree(&old)?;
    }
    Ok(())
}
