//! Taking away, replacing, locking.

#![expect(clippy::disallowed_methods, reason = "a part of the one place")]

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use super::{FsError, Result, at, maybe};

/// Replaces a file in one step, with the same owner and mode.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let meta = at("look at", path, fs::metadata(path))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push("-sk8s");
    let draft = std::path::PathBuf::from(draft);
    super::remove_file(&draft)?;
    let mut options = fs::OpenOptions::new();
    let mut file = at("create", &draft, options.write(true).create_new(true).mode(0o600).open(&draft))?;
    at("write", &draft, file.write_all(bytes))?;
    at("give away", &draft, std::os::unix::fs::fchown(&file, Some(meta.uid()), Some(meta.gid())))?;
    at("set mode of", &draft, file.set_permissions(meta.permissions()))?;
    at("write", &draft, file.sync_all())?;
    at("rename to", path, fs::rename(&draft, path))?;
    super::persist_name(path)
}

/// Removes a file, a link or a folder with all it holds; none being there is fine.
pub fn remove_tree(path: &Path) -> Result<()> {
    let Some(meta) = maybe("look at", path, fs::symlink_metadata(path))? else { return Ok(()) };
    if !meta.is_dir() {
        return super::remove_file(path);
    }
    maybe("remove", path, fs::remove_dir_all(path)).map(drop)
}

/// Removes a folder that holds nothing, or a control group that holds no process; none being there is fine.
pub fn remove_empty_folder(path: &Path) -> Result<()> {
    maybe("remove", path, fs::remove_dir(path)).map(drop)
}

/// A lock that ends with this value, or with the process.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

/// The lock on a file (flock(2)), if the file is there and nobody has it.
pub fn try_lock(path: &Path) -> Result<Option<Lock>> {
    let Some(file) = maybe("open", path, fs::OpenOptions::new().write(true).open(path))? else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => at("lock", path, Err(error)),
    }
}

/// Waits at most ten seconds for the lock that programs that change accounts take (lckpwdf(3)): one on the whole file, of
/// fcntl(2)'s kind.
pub fn lock(path: &Path) -> Result<Lock> {
    use nix::fcntl::{FcntlArg, fcntl};
    let mut options = fs::OpenOptions::new();
    let file = at("open", path, options.create(true).truncate(false).write(true).mode(0o600).open(path))?;
    let whole = nix::libc::flock {
        l_type: nix::libc::F_WRLCK as nix::libc::c_short,
        l_whence: nix::libc::SEEK_SET as nix::libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    for _ in 0..100 {
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole)) {
            Ok(_) => return Ok(Lock { _file: file }),
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            Err(error) => return at("lock", path, Err(error.into())),
        }
    }
    Err(FsError { action: "lock", path: path.to_owned(), source: io::Error::from(io::ErrorKind::TimedOut) })
}
