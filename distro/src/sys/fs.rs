//! The only place that touches the file system: every error names what was attempted and on which path.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::accounts::Account;

mod change;
mod inside;
mod look;
mod place;

pub use change::{Lock, lock, remove_empty_folder, remove_tree, replace, try_lock};
pub use inside::{empty_unmounted, remove_unmounted};
pub use look::{Space, digest, folders, names, read_bytes, read_link, read_lossy, real, space};
pub use place::{
    Found, Naming, create_nameless, create_new, files_below, is_empty, link, persist, private_folder, receive, rename,
    rename_new,
};

/// A failed file operation.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} `{}`", .path.display())]
pub struct FsError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl FsError {
    /// What kind of answer the system gave.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// Result of a file operation.
pub type Result<T> = std::result::Result<T, FsError>;

/// Who may read what we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The owner alone.
    Private,
    /// Everyone may read.
    Public,
    /// Everyone may read and run.
    Program,
}

impl Access {
    const fn file_mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Public => 0o644,
            Self::Program => 0o755,
        }
    }

    const fn folder_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Public | Self::Program => 0o755,
        }
    }
}

fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| FsError { action, path: path.to_owned(), source })
}

fn maybe<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => at(action, path, other).map(Some),
    }
}

/// The whole file as UTF-8.
pub fn read_to_string(path: &Path) -> Result<String> {
    at("read", path, fs::read_to_string(path))
}

/// The whole file as UTF-8; `None` if there is none.
pub fn read_if_there(path: &Path) -> Result<Option<String>> {
    maybe("read", path, fs::read_to_string(path))
}

/// Opens a file for reading.
pub fn open(path: &Path) -> Result<fs::File> {
    at("open", path, fs::File::open(path))
}

/// Opens a file or folder for reading; `None` if there is none.
pub fn open_if_there(path: &Path) -> Result<Option<fs::File>> {
    maybe("open", path, fs::File::open(path))
}

/// Attaches path and action to a result of reading or writing an open file.
pub fn during<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    at(action, path, result)
}

/// Size in bytes of the file at a path; `None` if there is none.
pub fn size(path: &Path) -> Result<Option<u64>> {
    Ok(maybe("look at", path, fs::metadata(path))?.map(|meta| meta.len()))
}

/// What tells a file or folder from every other: device and inode number, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(u64, u64);

impl Identity {
    /// Who an open file is.
    pub fn of(file: &fs::File) -> io::Result<Self> {
        file.metadata().map(|meta| Self(meta.dev(), meta.ino()))
    }
}

/// Who is at a path; `None` if nothing is.
pub fn identity(path: &Path) -> Result<Option<Identity>> {
    Ok(maybe("look at", path, fs::metadata(path))?.map(|meta| Identity(meta.dev(), meta.ino())))
}

/// Whether something is at a path.
#[must_use]
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether a folder is at a path, links not followed.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Creates a folder and its parents; the folder itself gets owner and mode even if it was there.
pub fn create_folder(path: &Path, access: Access, owner: Account) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
    at("create folder", path, made)?;
    at("set mode of", path, fs::set_permissions(path, fs::Permissions::from_mode(access.folder_mode())))?;
    chown(path, owner)
}

/// Creates a folder that all may enter, whatever the process's mask is; its owner is whoever runs us.
pub fn create_shared_folder(path: &Path) -> Result<()> {
    at("create folder", path, fs::DirBuilder::new().recursive(true).mode(0o755).create(path))?;
    at("set mode of", path, fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
}

/// Writes a whole file under its final name in one step, and makes it last a power loss.
pub fn write(path: &Path, bytes: &[u8], access: Access, owner: Account) -> Result<()> {
    use io::Write as _;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    at("remove", &draft, remove(&draft))?;
    let mut options = fs::OpenOptions::new();
    let mut file = at("create", &draft, options.write(true).create_new(true).mode(access.file_mode()).open(&draft))?;
    at("write", &draft, file.write_all(bytes))?;
    at("set mode of", &draft, file.set_permissions(fs::Permissions::from_mode(access.file_mode())))?;
    chown(&draft, owner)?;
    at("write", &draft, file.sync_all())?;
    at("rename to", path, fs::rename(&draft, path))?;
    persist_name(path)
}

/// Makes the name of a file last a power loss: it is the folder's to keep.
fn persist_name(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => place::persist(Path::new(".")),
        Some(folder) => place::persist(folder),
        None => Ok(()),
    }
}

/// Writes into a kernel file (`/proc`, `/sys`), which is there already.
pub fn write_kernel(path: &Path, text: &str) -> Result<()> {
    at("write", path, fs::write(path, text))
}

/// Gives a path, and where it is a folder all it holds, to an account.
pub fn give(path: &Path, owner: Account) -> Result<()> {
    let meta = at("look at", path, fs::symlink_metadata(path))?;
    if (meta.uid(), meta.gid()) != (owner.uid, owner.gid) {
        chown(path, owner)?;
    }
    if meta.is_dir() {
        for child in list(path)? {
            give(&child, owner)?;
        }
    }
    Ok(())
}

fn chown(path: &Path, owner: Account) -> Result<()> {
    at("give away", path, std::os::unix::fs::lchown(path, Some(owner.uid), Some(owner.gid)))
}

/// The paths in a folder, sorted; none if there is no such folder.
pub fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let Some(entries) = maybe("list", path, fs::read_dir(path))? else { return Ok(Vec::new()) };
    let mut paths = at("list", path, entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<Vec<_>>>())?;
    paths.sort();
    Ok(paths)
}

/// Size in bytes and time of last change in nanoseconds, as something to compare.
pub fn fingerprint(path: &Path) -> Result<Option<(u64, i128)>> {
    let meta = maybe("look at", path, fs::metadata(path))?;
    Ok(meta.map(|meta| (meta.size(), i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()))))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes a file if it is there.
pub fn remove_file(path: &Path) -> Result<()> {
    at("remove", path, remove(path))
}

/// Makes a folder of the kernel's (a control group), if it is not there.
pub fn make_kernel_folder(path: &Path) -> Result<()> {
    at("create folder", path, fs::create_dir_all(path))
}
