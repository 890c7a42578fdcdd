//! Removing what a crash left, and what no process needs any more.

use std::path::{Path, PathBuf};

use skerry_formats::digest::Digest;

use super::{PayloadError, Ready};
use crate::sys::{fs, lock::Lock, programs};

/// Marks a folder that is being made or removed.
const DRAFT: &str = ".part-";

/// Where a folder is made, or goes when it is removed; no other process has one of this name.
pub(super) fn draft_of(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(format!("{DRAFT}{}", std::process::id()));
    name.into()
}

/// Removes what a crash left. Whoever calls it has the lock on the folder above.
pub(super) fn drafts(shelf: &Path) -> Result<(), PayloadError> {
    for path in fs::list(shelf)? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains(DRAFT)) {
            tracing::info!("removing `{}`, which an interrupted start left", path.display());
            fs::remove_tree(&path)?;
        }
    }
    Ok(())
}

/// Takes a folder's name away in one step, and returns the name it has now.
pub(super) fn take_name(folder: &Path) -> Result<PathBuf, PayloadError> {
    let mut aside = draft_of(folder).into_os_string();
    aside.push("-old");
    let aside = PathBuf::from(aside);
    fs::rename(folder, &aside)?;
    Ok(aside)
}

/// Removes the components of other versions that nobody uses, and returns their folders. A folder is in use while someone
/// holds it, and while a program in it runs: a shim outlives its supervisor, and finds its runtime beside itself.
///
/// # Errors
/// If a folder cannot be looked at or removed.
pub fn remove_unused(ready: &Ready) -> Result<Vec<PathBuf>, PayloadError> {
    let Some(shelf) = ready.folder().parent() else { return Ok(Vec::new()) };
    // Whoever has it unpacks, and sweeps too.
    let Some(_turn) = Lock::at_once(shelf)? else { return Ok(Vec::new()) };
    let mut removed = Vec::new();
    for folder in fs::list(shelf)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if folder == ready.folder() || name.parse::<Digest>().is_err() {
            continue;
        }
        let Some(_hold) = Lock::at_once(&folder)? else { continue };
        if !is_running(&folder)? {
            fs::remove_tree(&take_name(&folder)?)?;
            removed.push(folder);
        }
    }
    Ok(removed)
}

/// Whether a program below a folder runs.
fn is_running(folder: &Path) -> Result<bool, PayloadError> {
    let running = programs::running()?;
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        if fs::is_folder(&path) {
            todo.extend(fs::list(&path)?);
        } else if fs::identity(&path)?.is_some_and(|file| running.contains(&file)) {
            return Ok(true);
        }
    }
    Ok(false)
}
