//! The archive while it grows: a file without its final name, written at many places at once.

use std::{
    fs::File,
    io::{self, Seek as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{BundleError, Output};
use crate::sys::fs::{self, Access, FsError};

/// A draft; it goes when dropped, unless it was finished.
pub(super) struct Draft<'a> {
    file: File,
    path: PathBuf,
    to: &'a Output,
}

impl<'a> Draft<'a> {
    /// A file of a size, all zeros: hidden beside what it shall be, so that a folder of images lets it be, in the place of what a
    /// run that was killed left there; or without a name, in the folder for what is temporary.
    pub fn create(to: &'a Output, size: u64) -> Result<Self, FsError> {
        let (path, file) = match to {
            Output::File(path) => {
                fs::during("replace", path, regular(path))?;
                let path = beside(path);
                fs::remove_file(&path)?;
                let file = fs::create_new(&path, Access::Public)?;
                (path, file)
            }
            Output::Stdout => {
                let path = std::env::temp_dir().join(format!("sk8s-bundle-{}", std::process::id()));
                let file = fs::create_nameless(&path)?;
                (path, file)
            }
        };
        let draft = Self { file, path, to };
        fs::during("write", &draft.path, draft.file.set_len(size))?;
        Ok(draft)
    }

    /// Writes bytes where they belong.
    pub fn put(&self, at: u64, bytes: &[u8]) -> Result<(), FsError> {
        fs::during("write", &self.path, self.file.write_all_at(bytes, at))
    }

    /// Gives the whole archive its name, to last a power loss, or writes it out.
    pub fn finish(self) -> Result<(), BundleError> {
        match self.to {
            Output::File(path) => {
                fs::during("write", &self.path, self.file.sync_all())?;
                fs::rename(&self.path, path)?;
                Ok(fs::persist(folder_of(path))?)
            }
            Output::Stdout => {
                fs::during("read", &self.path, (&self.file).rewind())?;
                let mut out = io::stdout().lock();
                io::copy(&mut &self.file, &mut out).and_then(|_| out.flush()).map_err(BundleError::Stdout)
            }
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // Once finished, nothing is there under its own name.
        let _gone = fs::remove_file(&self.path);
    }
}

/// A device or a folder is nothing to be replaced by an archive.
fn regular(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(meta) if !meta.is_file() => Err(io::Error::other("it is no regular file")),
        _ => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::{Access, Draft, Output, fs};

    #[test]
    fn a_name_is_given_to_a_whole_archive_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let to = Output::File(folder.path().join("a.tar"));
        let names = || std::fs::read_dir(folder.path()).expect("a folder").count();
        let draft = Draft::create(&to, 8).expect("a draft");
        draft.put(4, b"late").expect("written");
        drop(draft);
        assert_eq!(names(), 0, "what is not whole leaves nothing");
        fs::create_new(&folder.path().join(".a.tar.part"), Access::Public).expect("from a run that was killed");
        let draft = Draft::create(&to, 8).expect("a draft");
        draft.put(4, b"late").expect("written");
        draft.finish().expect("finished");
        assert!(Draft::create(&Output::File("/dev/null".into()), 8).is_err());
        assert_eq!(fs::read_bytes(&folder.path().join("a.tar")).expect("there"), b"\0\0\0\0late");
        assert_eq!(names(), 1);
    }
}
