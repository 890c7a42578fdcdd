//! `skerry.lock`: TOML, the same text for the same lock.

use std::path::Path;

use super::{Lock, LockError};
use crate::{catalog::data, fsx};

const HEAD: &str = "# Made by `skerry lock`; not to be edited. Mirrors are never written here.\n\n";

impl Lock {
    /// The lock in a file; `None` if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read or is no lock.
    pub fn load(path: &Path) -> Result<Option<Self>, LockError> {
        if fsx::size(path)?.is_none() {
            return Ok(None);
        }
        Self::parse(path, &fsx::read_to_string(path)?).map(Some)
    }

    /// Reads the text of a lock; `path` is for errors.
    ///
    /// # Errors
    /// If it is no lock, or contradicts itself.
    pub fn parse(path: &Path, text: &str) -> Result<Self, LockError> {
        let lock: Self = data::parse(path, text)?;
        let broken = |why: String| LockError::Broken { path: path.to_owned(), why };
        for (name, set) in &lock.sets {
            if let Some(id) = set.packages.iter().find(|id| !lock.packages.contains_key(id)) {
                return Err(broken(format!("set `{name}` has `{id}`, which is not there")));
            }
        }
        for (id, package) in &lock.packages {
            if package.id() != *id {
                return Err(broken(format!("`{id}` is described as `{}`", package.id())));
            }
            if !package.path.starts_with("pool/") || package.path.split('/').any(|part| matches!(part, "" | "." | ".."))
            {
                return Err(broken(format!("`{id}` has path `{}`", package.path)));
            }
        }
        Ok(lock)
    }

    /// The text of the lock.
    ///
    /// # Errors
    /// Never, as a test shows.
    pub fn to_text(&self) -> Result<String, LockError> {
        Ok(format!("{HEAD}{}", toml::to_string_pretty(self)?))
    }

    /// Writes the lock, in one step.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), LockError> {
        Ok(fsx::write_atomic(path, self.to_text()?.as_bytes())?)
    }
}
