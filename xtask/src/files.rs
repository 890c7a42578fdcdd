//! The only place that touches the file system.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Attaches the path to a failure.
fn at<T>(action: &str, path: &Path, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("could not {action} `{}`: {error}", path.display()))
}

/// The whole file as text; what is no UTF-8 is replaced.
pub fn read(path: &Path) -> Result<String, String> {
    at("read", path, fs::read(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a whole file, and the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(parent) = path.parent() {
        at("create folder", parent, fs::create_dir_all(parent))?;
    }
    at("write", path, fs::write(path, text))
}

/// Creates a folder and its parents.
pub fn create_dir_all(path: &Path) -> Result<(), String> {
    at("create folder", path, fs::create_dir_all(path))
}

/// Removes a file; what is gone already is gone.
pub fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Removes a folder with all it holds, if it is there.
pub fn remove_all(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => at("remove", path, done),
    }
}

/// The paths in a folder; none if it cannot be read.
pub fn list(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()).collect()
}

/// Where a link leads.
pub fn read_link(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok()
}

/// When a file was written last, in seconds since 1970; `None` while it is not there.
pub fn written_at(path: &Path) -> Option<f64> {
    let time = fs::metadata(path).ok()?.modified().ok()?;
    time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs_f64())
}

/// The whole file.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    at("read", path, fs::read(path))
}

/// Writes a whole file into a folder that is there.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), String> {
    at("write", path, fs::write(path, bytes))
}

/// Makes a link at `path`.
pub fn symlink(target: &Path, path: &Path) -> Result<(), String> {
    at("link", path, std::os::unix::fs::symlink(target, path))
}
