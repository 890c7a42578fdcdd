//! The only place that touches files: every error names what was attempted and on which path.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// A failed file operation.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} `{}`", .path.display())]
pub struct FsError {
    /// What was attempted, as a verb.
    pub action: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

/// Result of a file operation.
pub type Result<T> = std::result::Result<T, FsError>;

/// Gives an error of the system its action and path.
pub(crate) fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| FsError { action, path: path.to_owned(), source })
}

/// The whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    at("read", path, fs::read(path))
}

/// The first `limit` bytes of a file; a longer one is cut.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = at("open", path, File::open(path))?;
    at("read", path, file.take(limit).read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// The whole file as text; bytes that are no UTF-8 are replaced.
pub fn read_text(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// The trimmed text of a small file such as those in `/sys`; `None` if it cannot be read.
#[must_use]
pub fn attribute(path: &Path) -> Option<String> {
    Some(read_text(path).ok()?.trim().to_owned())
}

/// Reads `size` bytes at `offset`, fewer at the file's end.
pub fn read_at(path: &Path, offset: u64, size: usize) -> Result<Vec<u8>> {
    let mut file = at("open", path, File::open(path))?;
    at("seek in", path, file.seek(SeekFrom::Start(offset)))?;
    let mut bytes = Vec::with_capacity(size);
    at("read", path, file.take(size as u64).read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// Whether anything lies at the path, links followed.
#[must_use]
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// What lies at a path, links not followed; `None` if nothing does.
pub fn symlink_metadata(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => at("look at", path, other).map(Some),
    }
}

/// Where a link points.
pub fn read_link(path: &Path) -> Result<PathBuf> {
    at("read link", path, fs::read_link(path))
}

/// The path with all links resolved.
pub fn canonical(path: &Path) -> Result<PathBuf> {
    at("resolve", path, fs::canonicalize(path))
}

/// The paths in a folder, sorted by name; none if there is no such folder.
pub fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => at("list", path, other)?,
    };
    let mut paths = at("list", path, entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<Vec<_>>>())?;
    paths.sort();
    Ok(paths)
}

/// Creates a folder and its parents.
pub fn create_dir_all(path: &Path) -> Result<()> {
    at("create folder", path, fs::create_dir_all(path))
}

/// Creates a folder only root may enter, and its parents.
pub fn create_private_dir(path: &Path) -> Result<()> {
    at("create folder", path, fs::DirBuilder::new().recursive(true).mode(0o700).create(path))
}

/// Sets permissions.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    at("set the mode of", path, fs::set_permissions(path, fs::Permissions::from_mode(mode)))
}

/// Sets owner and group by number, links not followed.
pub fn set_owner(path: &Path, (user, group): (u32, u32)) -> Result<()> {
    at("set the owner of", path, std::os::unix::fs::lchown(path, Some(user), Some(group)))
}

/// Writes a file in one step: under another name beside it, synced, with its mode, then renamed.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".skerry-new");
    let temporary = PathBuf::from(name);
    let mut file = at("create", &temporary, new_file(&temporary, mode))?;
    let written = file.write_all(bytes).and_then(|()| file.set_permissions(fs::Permissions::from_mode(mode)));
    at("write", &temporary, written.and_then(|()| file.sync_all()))?;
    at("rename", &temporary, fs::rename(&temporary, path))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    at("sync", folder, File::open(folder).and_then(|folder| folder.sync_all()))
}

fn new_file(path: &Path, mode: u32) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Appends to a file, which is made if it is not there.
pub fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    at("append to", path, file.and_then(|mut file| file.write_all(bytes)))
}

/// Opens a device or file for writing, as it is.
pub fn open_write(path: &Path) -> Result<File> {
    at("open", path, OpenOptions::new().write(true).custom_flags(nix::fcntl::OFlag::O_NOCTTY.bits()).open(path))
}

/// Opens a file for reading.
pub fn open(path: &Path) -> Result<File> {
    at("open", path, File::open(path))
}

/// Opens a device for reading what it has by now, without waiting for more.
pub fn open_nonblocking(path: &Path) -> Result<File> {
    let flags = nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_NOCTTY;
    at("open", path, OpenOptions::new().read(true).custom_flags(flags.bits()).open(path))
}

/// Makes a symbolic link.
pub fn symlink(target: &Path, link: &Path) -> Result<()> {
    at("make link", link, std::os::unix::fs::symlink(target, link))
}

/// Copies a file's bytes and mode.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    at("copy", from, fs::copy(from, to)).map(|_| ())
}

/// Removes a file; it need not be there.
pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => at("remove", path, other),
    }
}

/// Removes what lies at the path with all it holds.
pub fn remove_all(path: &Path) -> Result<()> {
    match symlink_metadata(path)? {
        None => Ok(()),
        Some(found) if found.is_dir() => at("remove folder", path, fs::remove_dir_all(path)),
        Some(_) => remove_file(path),
    }
}
