//! Backups in the data folder, which would go with it.

use std::path::{Path, PathBuf};

use super::mounts::{Mount, is_disk};
use crate::sys::fs::{self, FsError};

/// What becomes of backups in the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backups {
    /// Nothing is reset while there are some.
    Spare,
    /// They go with the rest.
    Remove,
}

/// How files end that `sk8s backup` makes, under whichever name.
const ENDING: &str = ".tar.zst";
/// How deep they are looked for. All that is ours lies less deep, and what containers have written is not looked through.
const DEPTH: usize = 3;

/// Backups that lie below a folder, as far as they go with it: what lies on a disk that is mounted there, or behind a link,
/// does not.
///
/// # Errors
/// If a folder cannot be listed.
pub fn below(folder: &Path, mounts: &[Mount]) -> Result<Vec<PathBuf>, FsError> {
    let mut found = Vec::new();
    descend(folder, (mounts, DEPTH), &mut found)?;
    Ok(found)
}

fn descend(folder: &Path, (mounts, depth): (&[Mount], usize), found: &mut Vec<PathBuf>) -> Result<(), FsError> {
    let folders = fs::folders(folder)?;
    let is_backup = |path: &PathBuf| path.to_string_lossy().ends_with(ENDING) && !folders.contains(path);
    found.extend(fs::list(folder)?.into_iter().filter(is_backup));
    let inside = folders.iter().filter(|inner| depth > 1 && !is_disk(mounts, inner));
    inside.into_iter().try_for_each(|inner| descend(inner, (mounts, depth - 1), found))
}

/// How many are named.
const NAMED: usize = 4;

/// Backups, in a sentence: the latest of them, by their names.
pub fn named(all: &[PathBuf]) -> String {
    let mut latest: Vec<&PathBuf> = all.iter().collect();
    latest.sort_by_key(|path| std::cmp::Reverse(path.file_name()));
    let names: Vec<String> = latest.iter().take(NAMED).map(|path| format!("`{}`", path.display())).collect();
    match all.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::Access;

    #[test]
    fn what_would_go_with_the_folder_is_found() {
        let root = tempfile::tempdir().expect("a folder");
        let data = root.path().join("data");
        let write = |path: &Path| {
            fs::create_shared_folder(path.parent().expect("in a folder")).expect("made");
            drop(fs::create_new(path, Access::Private).expect("written"));
        };
        let gone = ["kept.tar.zst", "safe/daily/b.tar.zst", "upgrades/sk8s_backup_2026-11-21T14-05-00Z.tar.zst"];
        let other = ["db/state.db", "usb/c.tar.zst", "containerd/a/b/d.tar.zst"];
        gone.iter().chain(&other).for_each(|path| write(&data.join(path)));
        write(&root.path().join("elsewhere/e.tar.zst"));
        fs::link(&root.path().join("elsewhere"), &data.join("snapshots")).expect("linked");
        let usb = Mount {
            point: data.join("usb"),
            device: "8:1".into(),
            root: "/".into(),
            kind: "vfat".into(),
            options: "rw".into(),
        };
        assert_eq!(below(&data, &[usb]).expect("listed"), gone.map(|path| data.join(path)));
        assert_eq!(below(&root.path().join("none"), &[]).expect("nothing there"), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn the_latest_are_named_and_the_rest_counted() {
        let all: Vec<PathBuf> = (1..=6).map(|day| format!("/d/{}/{day}.tar.zst", 9 - day).into()).collect();
        assert_eq!(named(&all[..1]), "`/d/8/1.tar.zst`");
        let latest = "`/d/3/6.tar.zst`, `/d/4/5.tar.zst`, `/d/5/4.tar.zst`, `/d/6/3.tar.zst` and 2 more";
        assert_eq!(named(&all), latest);
    }
}
