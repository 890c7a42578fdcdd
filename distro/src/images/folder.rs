//! The owner's folder of image archives: what is put there is imported, and stays until it is taken away.
//!
//! What was imported from which file is kept beside the archives, so that a start need not read them all again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    ctr::{Ctr, references},
    import::ImportError,
};
use crate::{
    paths::Paths,
    sys::{
        accounts::Account,
        fs::{self, Access},
    },
};

/// How often the folder is looked at.
pub const PERIOD: Duration = Duration::from_secs(10);

/// How many looks containerd is left in peace for when nothing has changed: five minutes. Then what could not be imported is tried
/// again, and what somebody removed comes back.
const PEACE: u32 = 30;

/// Names of files that are taken for archives end so; containerd's client takes no compressed ones.
const ENDING: &str = ".tar";
const RECORD: &str = ".imported.json";

/// A file's size, and when it was written, in nanoseconds.
type Print = (u64, i128);

/// What is known of the folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// Files as they were at the last look: one that still grows is left alone.
    seen: BTreeMap<String, Print>,
    /// What is wrong with which; told once.
    told: BTreeMap<String, String>,
    /// Looks that are left before containerd is asked again, if nothing changes.
    peace: u32,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Imported {
    size: u64,
    written: i128,
    images: BTreeSet<String>,
}

type Record = BTreeMap<String, Imported>;

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Work {
    import: Vec<String>,
    forget: Vec<String>,
}

/// New or other files are imported once they rest; those whose images are gone from containerd are again.
fn work(files: &BTreeMap<String, Print>, before: &BTreeMap<String, Print>, known: (&Record, &BTreeSet<&str>)) -> Work {
    let (record, there) = known;
    let rests = |name: &str, print: &Print| before.get(name) == Some(print);
    let done = |name: &str, print: &Print| {
        record.get(name).is_some_and(|imported| {
            (imported.size, imported.written) == *print && imported.images.iter().all(|image| there.contains(&**image))
        })
    };
    let import = files.iter().filter(|(name, print)| rests(name, print) && !done(name, print));
    let forget = record.keys().filter(|name| !files.contains_key(*name));
    Work { import: import.map(|(name, _)| name.clone()).collect(), forget: forget.cloned().collect() }
}

impl Folder {
    /// Whether there may be something to do; takes note of the files. What it returns besides is how they were before.
    fn due(&mut self, files: &BTreeMap<String, Print>) -> Option<BTreeMap<String, Print>> {
        let before = std::mem::replace(&mut self.seen, files.clone());
        if before != *files {
            self.peace = 0;
            return Some(before);
        }
        match self.peace.checked_sub(1) {
            Some(left) => {
                self.peace = left;
                None
            }
            None => Some(before),
        }
    }

    /// Looks once; what it did and what went wrong is in the log. Nothing is done where there is no such folder.
    ///
    /// # Errors
    /// If containerd does not answer, or what was imported cannot be noted.
    pub fn look(&mut self, paths: &Paths) -> Result<(), ImportError> {
        let folder = paths.owners_images();
        if !fs::exists(&folder) {
            return Ok(());
        }
        let files = archives(&folder)?;
        let Some(before) = self.due(&files) else { return Ok(()) };
        let path = folder.join(RECORD);
        // What cannot be read is made again: importing twice does no harm.
        let mut record: Record =
            fs::read_if_there(&path)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let ctr = Ctr::new(paths);
        let list = ctr.list()?;
        let there: BTreeSet<&str> = references(&list).collect();
        let todo = work(&files, &before, (&record, &there));
        for name in &todo.forget {
            let others: BTreeSet<&String> =
                record.iter().filter(|(other, _)| *other != name).flat_map(|(_, imported)| &imported.images).collect();
            let images: Vec<String> =
                record.get(name).into_iter().flat_map(|i| &i.images).filter(|i| !others.contains(i)).cloned().collect();
            for image in images.iter().filter(|image| there.contains(image.as_str())) {
                ctr.unpin(image)?;
            }
            record.remove(name);
            tracing::info!(file = name, "its images may be collected");
        }
        for name in &todo.import {
            match self.import(&ctr, &folder.join(name), &there) {
                Ok(images) => {
                    tracing::info!(file = name, images = images.len(), "images imported");
                    let (size, written) = files.get(name).copied().unwrap_or_default();
                    record.insert(name.clone(), Imported { size, written, images });
                }
                Err(error) => {
                    let text = crate::supervisor::chain(&error);
                    if self.told.insert(name.clone(), text.clone()).as_ref() != Some(&text) {
                        tracing::error!(file = name, error = text, "images not imported");
                    }
                }
            }
        }
        if todo != Work::default() {
            let text = format!("{:#}\n", serde_json::json!(record));
            fs::write(&path, text.as_bytes(), Access::Public, Account::ROOT)?;
        }
        if before == files {
            self.peace = PEACE;
        }
        Ok(())
    }

    /// Imports a file and says which images it brought.
    fn import(&mut self, ctr: &Ctr, path: &Path, before: &BTreeSet<&str>) -> Result<BTreeSet<String>, ImportError> {
        let named = fs::open(path).ok().and_then(|file| super::index(std::io::BufReader::new(file)).ok());
        ctr.import(path)?;
        let list = ctr.list()?;
        let brought = references(&list).filter(|image| !before.contains(image)).map(ToOwned::to_owned);
        let named = named.into_iter().flatten().map(|image| image.reference);
        Ok(brought.chain(named).filter(|image| !image.starts_with("sha256:")).collect())
    }
}

fn archives(folder: &Path) -> Result<BTreeMap<String, Print>, ImportError> {
    let mut files = BTreeMap::new();
    for path in fs::list(folder)? {
        let Some(name) = name(&path) else { continue };
        if let Some(print) = fs::fingerprint(&path)? {
            files.insert(name, print);
        }
    }
    Ok(files)
}

/// A hidden file is one that is being copied.
fn name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    (!name.starts_with('.') && name.ends_with(ENDING)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{Folder, Imported, PEACE, Record, Work, name, work};

    fn files(all: &[(&str, u64)]) -> BTreeMap<String, (u64, i128)> {
        all.iter().map(|(name, size)| ((*name).to_owned(), (*size, 7))).collect()
    }

    fn record(name: &str, size: u64, image: &str) -> Record {
        let images = BTreeSet::from([image.to_owned()]);
        BTreeMap::from([(name.to_owned(), Imported { size, written: 7, images })])
    }

    #[test]
    fn a_file_is_imported_once_it_rests() {
        let now = files(&[("a.tar", 5)]);
        let there = BTreeSet::new();
        assert_eq!(work(&now, &files(&[]), (&Record::new(), &there)), Work::default());
        assert_eq!(work(&now, &files(&[("a.tar", 4)]), (&Record::new(), &there)), Work::default());
        assert_eq!(work(&now, &now, (&Record::new(), &there)).import, ["a.tar"]);
    }

    #[test]
    fn what_was_imported_is_left_alone_until_it_changes_or_its_images_are_gone() {
        let now = files(&[("a.tar", 5)]);
        let (there, gone) = (BTreeSet::from(["x:1"]), BTreeSet::new());
        assert_eq!(work(&now, &now, (&record("a.tar", 5, "x:1"), &there)), Work::default());
        assert_eq!(work(&now, &now, (&record("a.tar", 4, "x:1"), &there)).import, ["a.tar"]);
        assert_eq!(work(&now, &now, (&record("a.tar", 5, "x:1"), &gone)).import, ["a.tar"]);
    }

    #[test]
    fn images_of_a_file_that_is_gone_are_let_go() {
        let there = BTreeSet::from(["x:1"]);
        assert_eq!(work(&files(&[]), &files(&[]), (&record("a.tar", 5, "x:1"), &there)).forget, ["a.tar"]);
    }

    #[test]
    fn what_does_not_change_leaves_containerd_in_peace_for_a_while() {
        let mut folder = Folder::default();
        let (one, other) = (files(&[("a.tar", 5)]), files(&[("a.tar", 6)]));
        assert!(folder.due(&one).is_some(), "new");
        assert!(folder.due(&one).is_some(), "at rest, and not looked at yet");
        folder.peace = PEACE;
        assert!((0..PEACE).all(|_| folder.due(&one).is_none()));
        assert!(folder.due(&one).is_some(), "once in a while");
        folder.peace = PEACE;
        assert!(folder.due(&other).is_some() && folder.due(&other).is_some(), "changed");
    }

    #[test]
    fn only_whole_archives_count() {
        let is = |text: &str| name(text.as_ref()).is_some();
        assert!(is("/i/a.tar"));
        assert!(!is("/i/a.tar.gz") && !is("/i/.a.tar") && !is("/i/a.tar.part") && !is("/i/.imported.json"));
    }
}
