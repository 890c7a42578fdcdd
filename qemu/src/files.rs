//! The only place that touches the file system: every error names what was attempted and on which path.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use nix::fcntl::{Flock, FlockArg};
use skerry_formats::moment::Moment;

/// A failed file operation.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} `{}`", .path.display())]
pub struct FileError {
    /// What was attempted, as a verb.
    pub action: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

/// Result of a file operation.
pub type Result<T> = std::result::Result<T, FileError>;

/// Attaches path and action to a result.
pub fn during<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| FileError { action, path: path.to_owned(), source })
}

/// Creates a folder and its parents.
pub fn create_dir_all(path: &Path) -> Result<()> {
    during("create folder", path, fs::create_dir_all(path))
}

/// Opens a file for reading.
pub fn open(path: &Path) -> Result<File> {
    during("open", path, File::open(path))
}

/// Creates or empties a file.
pub fn create(path: &Path) -> Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    during("create", path, file)
}

/// The whole file; what is no UTF-8 is replaced.
pub fn read_text(path: &Path) -> Result<String> {
    during("read", path, fs::read(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a whole file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    during("write", path, fs::write(path, bytes))
}

/// Copies a file, with the owner's right to write it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = open(from)?;
    let mut target = create(to)?;
    during("copy to", to, io::copy(&mut source, &mut target)).map(|_| ())
}

/// Size in bytes; `None` if nothing is there.
pub fn size(path: &Path) -> Result<Option<u64>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => during("look at", path, other).map(|meta| Some(meta.len())),
    }
}

/// When a file was changed last.
pub fn modified(path: &Path) -> Result<Moment> {
    let time = during("look at", path, fs::metadata(path).and_then(|meta| meta.modified()))?;
    Ok(Moment(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())))
}

/// Removes a file if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => during("remove", path, other),
    }
}

/// The absolute path without links.
pub fn canonicalize(path: &Path) -> Result<PathBuf> {
    during("resolve", path, fs::canonicalize(path))
}

/// A file held by one process at a time.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

/// Takes the lock, or `None` if another process holds it.
pub fn try_lock(path: &Path) -> Result<Option<Lock>> {
    let file = create(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok(Some(Lock { _file: file })),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => during("lock", path, Err(errno.into())),
    }
}
