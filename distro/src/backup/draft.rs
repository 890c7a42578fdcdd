//! What a backup is made in: a folder of its own beside where it goes, however many are made there at once.
//!
//! One that a power loss left is known by its lock, which nobody has any more, and goes when its node makes the next.

use std::path::{Path, PathBuf};

use super::{error::BackupError, made::BackupName};
use crate::{
    config::NodeName,
    pki::UnixTime,
    sys::fs::{self, Access, FsError, Lock, Naming},
};

/// A folder that goes when it is no longer needed, however that comes about.
#[derive(Debug)]
pub(super) struct Draft {
    folder: PathBuf,
    /// Not there on a file system that knows no locks, where what a power loss leaves is its owner's to remove.
    _lock: Option<Lock>,
}

const HEAD: &str = ".sk8s_backup_draft_";
const LOCK: &str = "lock";

impl Draft {
    /// Makes one, and removes what the same node left there before.
    pub(super) fn create(beside: &Path, node: &NodeName) -> Result<Self, BackupError> {
        let head = format!("{HEAD}{node}_");
        if let Err(error) = sweep(beside, &head) {
            tracing::warn!(%error, "an old draft stays");
        }
        let folder = fs::private_folder(&beside.join(head))?;
        match lock(&folder) {
            Ok(_lock) => Ok(Self { folder, _lock }),
            Err(error) => {
                fs::remove_tree(&folder)?;
                Err(error.into())
            }
        }
    }

    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Gives a whole archive a name that no other has, though another backup may be made there at the same moment.
pub(super) fn place(archive: &Path, folder: &Path, (now, node): (UnixTime, &NodeName)) -> Result<PathBuf, FsError> {
    loop {
        let path = folder.join(BackupName::made(now, node, &fs::names(folder)?).to_string());
        if fs::rename_new(archive, &path)? == Naming::Done {
            fs::persist(folder)?;
            return Ok(path);
        }
    }
}

/// The lock gets its name once it is taken: before, a sweep would find it free.
fn lock(folder: &Path) -> Result<Option<Lock>, FsError> {
    let making = folder.join("lock.new");
    drop(fs::create_new(&making, Access::Private)?);
    let lock = fs::try_lock(&making);
    fs::rename(&making, &folder.join(LOCK))?;
    Ok(lock.unwrap_or_else(|error| {
        tracing::debug!(%error, "no locks here");
        None
    }))
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_tree(&self.folder) {
            tracing::warn!(%error, "a draft stays");
        }
    }
}

/// Removes the drafts of a node that nobody works on.
fn sweep(beside: &Path, head: &str) -> Result<(), FsError> {
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(head));
    for folder in fs::folders(beside)?.into_iter().filter(ours) {
        let left = fs::try_lock(&folder.join(LOCK))?;
        if left.is_some() {
            fs::remove_tree(&folder)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Draft;
    use crate::{
        config::NodeName,
        pki::UnixTime,
        sys::{
            fs::{self, Access},
            machine,
        },
    };

    fn name(text: &str) -> NodeName {
        text.parse().expect("a name")
    }

    #[test]
    fn two_at_once_have_a_folder_each_and_leave_none() {
        let place = tempfile::tempdir().expect("a folder");
        let (first, second) = (Draft::create(place.path(), &name("barn")), Draft::create(place.path(), &name("barn")));
        let (first, second) = (first.expect("made"), second.expect("made"));
        assert_ne!(first.path("copy"), second.path("copy"));
        assert_eq!(fs::list(place.path()).expect("there").len(), 2, "the second leaves the first alone");
        drop((first, second));
        assert!(fs::list(place.path()).expect("there").is_empty());
    }

    #[test]
    fn backups_of_one_moment_do_not_overwrite_each_other() {
        let place = tempfile::tempdir().expect("a folder");
        let draft = Draft::create(place.path(), &name("barn")).expect("made");
        for (number, node) in ["barn", "barn", "mill", "barn"].into_iter().enumerate() {
            let archive = draft.path("archive");
            fs::write(&archive, number.to_string().as_bytes(), Access::Private, machine::account()).expect("written");
            super::place(&archive, place.path(), (UnixTime(5), &name(node))).expect("placed");
            assert!(!fs::exists(&archive), "it is there once");
        }
        drop(draft);
        let found: Vec<String> = fs::names(place.path()).expect("there");
        let name = |end: &str| format!("sk8s_backup_2025-01-01T00-00-00Z_{end}.tar.zst");
        assert_eq!(found, [name("barn"), name("barn_2"), name("barn_3"), name("mill")]);
        let read = |name: &String| fs::read_to_string(&place.path().join(name)).expect("whole");
        assert_eq!(found.iter().map(read).collect::<Vec<_>>(), ["0", "1", "3", "2"]);
    }

    #[test]
    fn a_name_that_another_took_at_the_same_moment_stays_the_others() {
        let place = tempfile::tempdir().expect("a folder");
        let [ours, theirs] = ["ours", "theirs"].map(|name| {
            let path = place.path().join(name);
            fs::write(&path, name.as_bytes(), Access::Private, machine::account()).expect("written");
            path
        });
        assert_eq!(fs::rename_new(&ours, &theirs).expect("looked"), fs::Naming::Taken);
        let read = |path| fs::read_to_string(path).expect("there");
        assert_eq!([read(&ours), read(&theirs)], ["ours", "theirs"]);
    }

    #[test]
    fn what_a_power_loss_left_goes_with_its_nodes_next() {
        let place = tempfile::tempdir().expect("a folder");
        let left = fs::private_folder(&place.path().join(".sk8s_backup_draft_barn_")).expect("made");
        for file in ["copy", "lock"] {
            fs::create_new(&left.join(file), Access::Private).expect("made");
        }
        drop(Draft::create(place.path(), &name("mill")).expect("made"));
        drop(Draft::create(place.path(), &name("bar")).expect("made"));
        assert!(fs::exists(&left), "another node's is not theirs to remove");
        drop(Draft::create(place.path(), &name("barn")).expect("made"));
        assert!(fs::list(place.path()).expect("there").is_empty());
    }
}
