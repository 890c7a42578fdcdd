//! The only place that touches the file system: every error names what was attempted and on which path.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    mem,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// A failed file operation.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} `{}`", .path.display())]
pub struct FsError {
    /// What was attempted, as a verb: `read`, `write`, `create` …
    pub action: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

/// Folders in which temporary entries were made, for [`sweep`].
static TEMP_PARENTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Result of a file operation.
pub type Result<T> = std::result::Result<T, FsError>;

fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| FsError { action, path: path.to_owned(), source })
}

/// The whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    at("read", path, fs::read(path))
}

/// The whole file as UTF-8.
pub fn read_to_string(path: &Path) -> Result<String> {
    at("read", path, fs::read_to_string(path))
}

/// Opens a file for reading.
pub fn open(path: &Path) -> Result<File> {
    at("open", path, File::open(path))
}

/// Opens a file for reading and writing.
pub fn open_rw(path: &Path) -> Result<File> {
    at("open", path, OpenOptions::new().read(true).write(true).open(path))
}

/// Creates a file that must not exist yet.
pub fn create_new(path: &Path) -> Result<File> {
    at("create", path, OpenOptions::new().read(true).write(true).create_new(true).open(path))
}

/// Creates or empties a file.
pub fn create(path: &Path) -> Result<File> {
    at("create", path, OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path))
}

/// Creates a folder and its parents.
pub fn create_dir_all(path: &Path) -> Result<()> {
    at("create folder", path, fs::create_dir_all(path))
}

/// The paths in a folder, sorted by name.
pub fn read_dir(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = at("list", path, fs::read_dir(path))?;
    let mut paths = at("list", path, entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<Vec<_>>>())?;
    paths.sort();
    Ok(paths)
}

/// What lies at a path, links not followed; `None` if nothing does.
pub fn symlink_metadata(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => at("look at", path, other).map(Some),
    }
}

/// Size in bytes of the file at a path, links followed; `None` if nothing is there.
pub fn size(path: &Path) -> Result<Option<u64>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => at("look at", path, other).map(|meta| Some(meta.len())),
    }
}

/// What tells whether a file is the very one that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    size: u64,
    inode: u64,
    changed_s: i64,
    changed_ns: i64,
}

/// A file's stamp, if there is one.
pub fn stamp(path: &Path) -> Result<Option<Stamp>> {
    use std::os::unix::fs::MetadataExt as _;
    let stamp =
        |m: fs::Metadata| Stamp { size: m.size(), inode: m.ino(), changed_s: m.ctime(), changed_ns: m.ctime_nsec() };
    Ok(symlink_metadata(path)?.map(stamp))
}

/// Where the next data of a sparse file lies at or behind `at`; empty at `size` if only a hole is left.
pub fn data_after(file: &File, at: u64, size: u64) -> io::Result<std::ops::Range<u64>> {
    use nix::{
        errno::Errno,
        unistd::{Whence, lseek},
    };
    let seek = |from: u64, whence| lseek(file, from.cast_signed(), whence).map(i64::cast_unsigned);
    match seek(at, Whence::SeekData) {
        Ok(start) => Ok(start..seek(start, Whence::SeekHole)?),
        Err(Errno::ENXIO) => Ok(size..size),
        Err(error) => Err(error.into()),
    }
}

/// The target of a symbolic link.
pub fn read_link(path: &Path) -> Result<PathBuf> {
    at("read link", path, fs::read_link(path))
}

/// The absolute path without links.
pub fn canonicalize(path: &Path) -> Result<PathBuf> {
    at("resolve", path, fs::canonicalize(path))
}

/// Makes a symbolic link at `path`.
pub fn symlink(target: &Path, path: &Path) -> Result<()> {
    at("link", path, std::os::unix::fs::symlink(target, path))
}

/// Renames within a file system.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    at("rename to", to, fs::rename(from, to))
}

/// A second name for a file, or a copy where the file system has none.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(_) => at("copy to", to, fs::copy(from, to)).map(|_| ()),
    }
}

/// Copies a file's bytes and permission bits.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    at("copy to", to, fs::copy(from, to)).map(|_| ())
}

/// Removes a file if it is there.
pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => at("remove", path, other),
    }
}

/// Removes a folder with all it holds, if it is there.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => at("remove", path, other),
    }
}

/// Sets permission bits.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    at("set mode of", path, fs::set_permissions(path, fs::Permissions::from_mode(mode)))
}

/// A temporary folder beside `parent`'s other content; removed when dropped.
pub fn temp_dir_in(parent: &Path) -> Result<tempfile::TempDir> {
    let made = temp_in(parent, |builder| builder.tempdir_in(parent))?;
    at("create a temporary folder in", parent, made)
}

/// A temporary file in `parent`, to be given its final name by [`persist`]; removed when dropped.
pub fn temp_file_in(parent: &Path) -> Result<tempfile::NamedTempFile> {
    let made = temp_in(parent, |builder| builder.tempfile_in(parent))?;
    at("create a temporary file in", parent, made)
}

/// Names of temporary entries carry the process's id, so that another run's are never swept.
fn temp_prefix() -> String {
    format!(".skerry-{}-", process::id())
}

/// Makes a temporary entry under the lock that [`sweep`] takes for good: none comes after it.
fn temp_in<T>(parent: &Path, make: impl FnOnce(&tempfile::Builder<'_, '_>) -> T) -> Result<T> {
    create_dir_all(parent)?;
    let mut parents = TEMP_PARENTS.lock().unwrap_or_else(PoisonError::into_inner);
    parents.insert(parent.to_owned());
    Ok(make(tempfile::Builder::new().prefix(&temp_prefix())))
}

/// How often [`sweep`] looks, and how long it waits in between: other threads may write into a folder while it goes.
const LOOKS: (u32, Duration) = (200, Duration::from_millis(10));

/// Removes all temporary entries of this process, when it is about to end without unwinding. Whoever wants to make one from
/// then on waits for that end.
pub fn sweep() {
    let parents = TEMP_PARENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&temp_prefix()));
    for _ in 0..LOOKS.0 {
        let left: Vec<PathBuf> =
            parents.iter().filter_map(|parent| read_dir(parent).ok()).flatten().filter(ours).collect();
        if left.is_empty() {
            break;
        }
        for path in left {
            if remove_file(&path).is_err() {
                let _again = remove_dir_all(&path);
            }
        }
        thread::sleep(LOOKS.1);
    }
    mem::forget(parents);
}

/// Gives a finished temporary file its final name, in one step, with the permission bits of any new file (0644).
pub fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    persist_as(file, path, 0o644)
}

/// As [`persist`], with these permission bits.
pub fn persist_as(file: tempfile::NamedTempFile, path: &Path, mode: u32) -> Result<()> {
    set_mode(file.path(), mode)?;
    file.persist(path).map(|_| ()).map_err(|error| FsError {
        action: "write",
        path: path.to_owned(),
        source: error.error,
    })
}

/// Writes a whole file under its final name in one step.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = temp_file_in(parent)?;
    at("write", path, file.write_all(bytes))?;
    persist(file, path)
}

/// As [`write_atomic`], readable by its owner alone from the first byte.
pub fn write_atomic_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = temp_file_in(parent)?;
    at("write", path, file.write_all(bytes))?;
    file.persist(path).map(|_| ()).map_err(|error| FsError {
        action: "write",
        path: path.to_owned(),
        source: error.error,
    })
}

/// As [`write_atomic_secret`], for a file that must not exist yet.
pub fn write_new_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = temp_file_in(parent)?;
    at("write", path, file.write_all(bytes))?;
    at("create", path, file.persist_noclobber(path).map(|_| ()).map_err(|error| error.error))
}

/// Makes a folder, and waits until nobody else holds it; it is held (flock(2)) while the result lives.
pub fn turn(folder: &Path) -> Result<File> {
    create_dir_all(folder)?;
    let held = open(folder)?;
    at("lock", folder, held.lock())?;
    Ok(held)
}

/// Attaches path and action to a result of reading or writing an open file.
pub fn during<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    at(action, path, result)
}
