//! Fills a fresh state folder from the root's skeleton: what is missing is copied, what is there is left alone.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use crate::sys::fs::{self, Result};

/// Copies what `to` lacks of `from`: folders, links and files with their owners and modes.
///
/// # Errors
/// If something cannot be read or made.
pub fn missing(from: &Path, to: &Path) -> Result<()> {
    for source in fs::list(from)? {
        let Some(name) = source.file_name() else { continue };
        let target = to.join(name);
        let Some(found) = fs::symlink_metadata(&source)? else { continue };
        let present = fs::symlink_metadata(&target)?;
        if found.is_dir() {
            if present.is_none() {
                fs::create_dir_all(&target)?;
                keep(&found, &target)?;
            }
            if present.is_none_or(|present| present.is_dir()) {
                missing(&source, &target)?;
            }
        } else if present.is_none() && found.is_symlink() {
            fs::symlink(&fs::read_link(&source)?, &target)?;
        } else if present.is_none() && found.is_file() {
            fs::copy(&source, &target)?;
            keep(&found, &target)?;
        }
    }
    Ok(())
}

/// Owner first: changing it clears the set-id bits.
fn keep(found: &std::fs::Metadata, target: &Path) -> Result<()> {
    let have = fs::symlink_metadata(target)?;
    if have.is_none_or(|have| (have.uid(), have.gid()) != (found.uid(), found.gid())) {
        fs::set_owner(target, (found.uid(), found.gid()))?;
    }
    fs::set_mode(target, found.mode() & 0o7777)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(&from.join("tmp")).unwrap();
        fs::set_mode(&from.join("tmp"), 0o1777).unwrap();
        fs::create_dir_all(&from.join("lib/a")).unwrap();
        fs::symlink(Path::new("../run"), &from.join("run")).unwrap();
        fs::create_dir_all(&to.join("lib")).unwrap();
        fs::write_atomic(&to.join("lib/own"), b"kept", 0o600).unwrap();
        missing(&from, &to).unwrap();
        missing(&from, &to).unwrap();
        assert_eq!(fs::read(&to.join("lib/own")).unwrap(), b"kept");
        assert!(to.join("lib/a").is_dir());
        assert_eq!(fs::read_link(&to.join("run")).unwrap(), Path::new("../run"));
        let mode = fs::symlink_metadata(&to.join("tmp")).unwrap().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o1777);
    }
}
