//! Removing a folder with what lies in it, and never what another mount shows there.

#![expect(clippy::disallowed_methods, reason = "a part of the one place that touches the file system")]

use std::{
    ffi::OsStr,
    fs, io,
    os::fd::{AsFd, AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
    unistd::{UnlinkatFlags, unlinkat},
};

use super::{Result, at, list, maybe};

/// Removes a file, a link or a folder with all it holds; none being there is fine. At a place where something is mounted it
/// ends with an error, before that is entered. The kernel tells, and so also of a part of the same file system that is
/// mounted there, which no device number tells.
pub fn remove_unmounted(path: &Path) -> Result<()> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return at("remove", path, Err(io::ErrorKind::InvalidInput.into()));
    };
    let Some(above) = maybe("open", above, fs::File::open(above))? else { return Ok(()) };
    remove(&above, name, path)
}

/// Removes in the same way all that a folder holds. The folder itself may be where something is mounted.
pub fn empty_unmounted(path: &Path) -> Result<()> {
    let Some(folder) = maybe("open", path, fs::File::open(path))? else { return Ok(()) };
    clear(&folder, path)
}

/// Removes what is called so in an open folder.
fn remove(folder: &impl AsFd, name: &OsStr, path: &Path) -> Result<()> {
    match unlinkat(folder, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => return Ok(()),
        Err(Errno::EISDIR) => {}
        Err(error) => return at("remove", path, Err(error.into())),
    }
    clear(&at("enter", path, enter(folder, name))?, path)?;
    at("remove", path, unlinkat(folder, name, UnlinkatFlags::RemoveDir).map_err(Into::into))
}

fn clear(folder: &impl AsFd, path: &Path) -> Result<()> {
    // By its number, since the path may be longer than the kernel takes.
    let open = PathBuf::from(format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd()));
    let inside = list(&open)?;
    inside.iter().filter_map(|child| child.file_name()).try_for_each(|name| remove(folder, name, &path.join(name)))
}

/// Opens a folder in an open folder, if it is on the same mount.
fn enter(folder: &impl AsFd, name: &OsStr) -> io::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_XDEV | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(folder, name, how).map_err(|error| match error {
        Errno::EXDEV => io::Error::other("something is mounted there"),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use nix::{
        mount::{MsFlags, mount},
        sched::{CloneFlags, unshare},
    };

    use super::*;
    use crate::sys::fs::{self, Access};

    fn write(path: &Path) {
        drop(fs::create_new(path, Access::Public).expect("written"));
    }

    #[test]
    fn a_folder_goes_with_all_it_holds_and_a_link_without_what_it_leads_to() {
        let root = tempfile::tempdir().expect("a folder");
        let (ours, others) = (root.path().join("ours"), root.path().join("others"));
        for folder in [&ours.join("a/b"), &others] {
            fs::create_shared_folder(folder).expect("made");
        }
        write(&ours.join("a/b/c"));
        write(&others.join("kept"));
        fs::link(&others, &ours.join("a/others")).expect("linked");
        remove_unmounted(&ours).expect("removed");
        assert!(!fs::exists(&ours) && fs::exists(&others.join("kept")));
        remove_unmounted(&ours).expect("gone already");
        remove_unmounted(&ours.join("deep/down")).expect("gone already");
        empty_unmounted(&others).expect("emptied");
        assert!(fs::is_folder(&others) && fs::is_empty(&others).expect("listed"));
    }

    #[test]
    fn another_mount_is_not_entered() {
        let root = fs::open(Path::new("/")).expect("opened");
        assert!(enter(&root, OsStr::new("usr")).is_ok());
        let refused = enter(&root, OsStr::new("proc")).expect_err("another mount");
        assert_eq!(refused.to_string(), "something is mounted there");
    }

    /// The thread gets mounts of its own, which end with it.
    #[test]
    #[ignore = "needs root"]
    fn what_a_mount_of_the_same_file_system_shows_stays() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().to_owned();
        let removed = std::thread::spawn(move || {
            let (volume, pod) = (path.join("volume"), path.join("kubelet/pods/a/volume"));
            for folder in [&volume, &pod] {
                fs::create_shared_folder(folder).expect("made");
            }
            write(&volume.join("kept"));
            unshare(CloneFlags::CLONE_NEWNS).expect("needs root");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("apart from the rest");
            mount(Some(&volume), &pod, None::<&str>, MsFlags::MS_BIND, None::<&str>).expect("mounted");
            let all = remove_unmounted(&path.join("kubelet")).expect_err("it is mounted there");
            let own = remove_unmounted(&pod).expect_err("it is mounted there");
            assert!(fs::exists(&volume.join("kept")));
            empty_unmounted(&pod).expect("asked for");
            assert!(!fs::exists(&volume.join("kept")));
            [all, own].map(|error| error.to_string())
        });
        let told = format!("could not enter `{}/kubelet/pods/a/volume`", root.path().display());
        assert_eq!(removed.join().expect("ran"), [told.clone(), told]);
    }
}
