//! Drafts, and how they come to their place.

#![expect(clippy::disallowed_methods, reason = "a part of the one place that touches the file system")]

use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{Access, Result, at, list, maybe};

/// Creates a file that must not be there, for writing; whoever may read it may, whatever the process's mask is.
pub fn create_new(path: &Path, access: Access) -> Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    let mode = access.file_mode();
    let file = at("create", path, options.write(true).create_new(true).mode(mode).open(path))?;
    at("set mode of", path, file.set_permissions(fs::Permissions::from_mode(mode)))?;
    Ok(file)
}

/// Makes a link to a path, where nothing must be yet.
pub fn link(target: &Path, path: &Path) -> Result<()> {
    at("link", path, std::os::unix::fs::symlink(target, path))
}

/// Makes a new folder that nobody else may enter; its path begins as is said here.
pub fn private_folder(head: &Path) -> Result<PathBuf> {
    let mut template = head.as_os_str().to_owned();
    // What mkdtemp(3) puts other letters for.
    template.push("X".repeat(6));
    at("create folder", head, nix::unistd::mkdtemp(Path::new(&template)).map_err(Into::into))
}

/// Creates a file for writing and reading that has no name any more: it goes with the process, however that ends.
pub fn create_nameless(path: &Path) -> Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    let file = at("create", path, options.read(true).write(true).create_new(true).mode(0o600).open(path))?;
    at("remove", path, fs::remove_file(path))?;
    Ok(file)
}

/// Makes what was written to a file, or to the list of names in a folder, last a power loss.
pub fn persist(path: &Path) -> Result<()> {
    at("write", path, fs::File::open(path).and_then(|file| file.sync_all()))
}

/// Gives a file or folder another name; an empty folder of that name is replaced.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    at("rename to", to, fs::rename(from, to))
}

/// What came of giving a file a new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// It has it.
    Done,
    /// Another has it already.
    Taken,
}

/// Gives a file another name that nothing has yet, on the same file system. Where that knows no second names of a file (FAT),
/// whoever takes the name at the very same moment is overwritten.
pub fn rename_new(from: &Path, to: &Path) -> Result<Naming> {
    match fs::hard_link(from, to) {
        Ok(()) => super::remove_file(from).map(|()| Naming::Done),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Naming::Taken),
        Err(_) if super::exists(to) => Ok(Naming::Taken),
        Err(_) => rename(from, to).map(|()| Naming::Done),
    }
}

/// Whether a folder holds anything; one that is not there does not.
pub fn is_empty(path: &Path) -> Result<bool> {
    list(path).map(|names| names.is_empty())
}

/// A regular file below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Who may read it.
    pub access: Access,
}

/// The regular files below a folder, links to such included, in the order of their paths; none if there is no such folder.
pub fn files_below(folder: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in list(folder)? {
        let link = at("look at", &path, fs::symlink_metadata(&path))?;
        if link.is_dir() {
            found.extend(files_below(&path)?);
            continue;
        }
        let Some(meta) = maybe("look at", &path, fs::metadata(&path))? else { continue };
        if meta.is_file() {
            let access = if meta.permissions().mode() & 0o077 == 0 { Access::Private } else { Access::Public };
            found.push(Found { path, access });
        }
    }
    Ok(found)
}

/// Copies all there is to read into a new file, and makes it last a power loss.
///
/// # Errors
/// The first value if the file fails; the second within it if what is read from does.
pub fn receive(path: &Path, access: Access, from: &mut dyn io::Read) -> Result<io::Result<u64>> {
    use io::Write as _;
    let mut file = create_new(path, access)?;
    let mut buffer = vec![0; 128 * 1024];
    let mut total = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(error)),
        };
        at("write", path, file.write_all(buffer.get(..count).unwrap_or_default()))?;
        total += count as u64;
    }
    at("write", path, file.sync_all())?;
    Ok(Ok(total))
}
