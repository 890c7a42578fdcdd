//! Locks between processes.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::fs::{self, Identity, Result};

/// A lock on a folder (flock(2)). Dropping it gives it back, and so does the end of the process, however it comes.
#[derive(Debug)]
pub struct Lock(File);

/// Who else may hold a lock on the same folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Nobody.
    Alone,
    /// All who share it.
    Shared,
}

impl Lock {
    /// Waits for a lock on a folder; `None` if there is no such folder.
    ///
    /// # Errors
    /// If the folder cannot be opened, or its file system has no locks.
    pub fn wait(path: &Path, share: Share) -> Result<Option<Self>> {
        let Some(folder) = fs::open_if_there(path)? else { return Ok(None) };
        let locked = match share {
            Share::Alone => folder.lock(),
            Share::Shared => folder.lock_shared(),
        };
        fs::during("lock", path, locked)?;
        Ok(Some(Self(folder)))
    }

    /// A lock that nobody shares, if it can be had at once; `None` if someone has one, or there is no such folder.
    ///
    /// # Errors
    /// As [`Lock::wait`].
    pub fn at_once(path: &Path) -> Result<Option<Self>> {
        let Some(folder) = fs::open_if_there(path)? else { return Ok(None) };
        match folder.try_lock() {
            Ok(()) => Ok(Some(Self(folder))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => fs::during("lock", path, Err(error)),
        }
    }

    /// Whether what is locked is what lies at a path now.
    ///
    /// # Errors
    /// If either cannot be looked at.
    pub fn is_of(&self, path: &Path) -> Result<bool> {
        let own = fs::during("look at", path, Identity::of(&self.0))?;
        Ok(fs::identity(path)? == Some(own))
    }
}
