//! The owner's archives of images, in a folder of their own and in the root file system: they are imported, and their images
//! stay until the archives are taken away.
//!
//! What was imported from which file is kept beside the archives, so that a start need not read them all again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use skerry_formats::digest::Digest;

use super::{
    archive,
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

/// A file's size, and when it was written, in nanoseconds; what came with the root file system has no time of its own, and a
/// number there that is made of its content.
type Print = (u64, i128);

/// What is known of the folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// Files as they were at the last look: one that still grows is left alone.
    seen: BTreeMap<String, Print>,
    /// What is wrong with which; told once.
    told: BTreeMap<String, String>,
    /// Archives that came with the root file system, by path. They are what they are until the next boot.
    shipped: Option<BTreeMap<String, Print>>,
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

    /// Looks once; what it did and what went wrong is in the log. Nothing is done where there are no archives.
    ///
    /// # Errors
    /// If containerd does not answer, or what was imported cannot be noted.
    pub fn look(&mut self, ctr: &Ctr, paths: &Paths) -> Result<(), ImportError> {
        let folder = paths.owners_images();
        let shipped = self.shipped(&paths.shipped)?;
        if shipped.is_empty() && !fs::exists(&folder) {
            return Ok(());
        }
        let mut files = archives(&folder)?;
        files.extend(shipped);
        let Some(before) = self.due(&files) else { return Ok(()) };
        let path = folder.join(RECORD);
        // What cannot be read is made again: importing twice does no harm.
        let mut record: Record =
            fs::read_if_there(&path)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let list = ctr.list()?;
        let there: BTreeSet<&str> = references(&list).collect();
        let todo = work(&files, &before, (&record, &there));
        for name in &todo.forget {
            if let Some(gone) = record.remove(name) {
                release(ctr, &gone, (&record, &there))?;
                tracing::info!(file = name, "its images may be collected");
            }
        }
        for name in &todo.import {
            // The name of one that came with the root file system is its whole path.
            if let Some(images) = self.bring(ctr, &folder.join(name), record.get(name)) {
                let (size, written) = files.get(name).copied().unwrap_or_default();
                if let Some(gone) = record.insert(name.clone(), Imported { size, written, images }) {
                    release(ctr, &gone, (&record, &there))?;
                }
            }
        }
        if todo != Work::default() {
            if !fs::exists(&folder) {
                fs::create_folder(&folder, Access::Public, Account::ROOT)?;
            }
            let text = format!("{:#}\n", serde_json::json!(record));
            fs::write(&path, text.as_bytes(), Access::Public, Account::ROOT)?;
        }
        if before == files {
            self.peace = PEACE;
        }
        Ok(())
    }

    /// The archives of the root file system. Those were not written just now: they need not rest first.
    fn shipped(&mut self, folder: &Path) -> Result<BTreeMap<String, Print>, ImportError> {
        if self.shipped.is_none() {
            let found = shipped(folder)?;
            self.seen.extend(found.clone());
            self.shipped = Some(found);
        }
        Ok(self.shipped.clone().unwrap_or_default())
    }

    /// Imports a file if it can be; what is wrong is told once.
    fn bring(&mut self, ctr: &Ctr, path: &Path, former: Option<&Imported>) -> Option<BTreeSet<String>> {
        let file = path.display().to_string();
        match import(ctr, path, former) {
            Ok(images) => {
                tracing::info!(file, images = images.len(), "images imported");
                Some(images)
            }
            Err(error) => {
                let text = crate::supervisor::chain(&error);
                if self.told.insert(file.clone(), text.clone()).as_ref() != Some(&text) {
                    tracing::error!(file, error = text, "images not imported");
                }
                None
            }
        }
    }
}

/// Imports a file and says which images it brought.
fn import(ctr: &Ctr, path: &Path, former: Option<&Imported>) -> Result<BTreeSet<String>, ImportError> {
    let named = fs::open(path).ok().and_then(|file| archive::names(std::io::BufReader::new(file)).ok());
    let before = ctr.list()?;
    ctr.import(path)?;
    let (before, after) = (before, ctr.list()?);
    Ok(brought((&before, &after), &named.unwrap_or_default(), former))
}

/// Which images a file brought, by the lists of before and after: those that are new and those that it names. A file that
/// was there before and names none brings what it brought then: nothing is new for containerd if the same comes again.
fn brought((before, after): (&str, &str), named: &BTreeSet<String>, former: Option<&Imported>) -> BTreeSet<String> {
    let known: BTreeSet<&str> = references(before).collect();
    let there = || references(after).filter(|image| !image.starts_with("sha256:"));
    let found: BTreeSet<&str> = there().filter(|image| !known.contains(image) || named.contains(*image)).collect();
    let same = |image: &&str| former.is_some_and(|former| former.images.contains(*image));
    let images = if found.is_empty() { there().filter(same).collect() } else { found };
    images.into_iter().map(ToOwned::to_owned).collect()
}

/// Lets the images go that a file brought once and none does now.
fn release(ctr: &Ctr, gone: &Imported, known: (&Record, &BTreeSet<&str>)) -> Result<(), ImportError> {
    unneeded(gone, known).into_iter().try_for_each(|image| Ok(ctr.unpin(image)?))
}

fn unneeded<'a>(gone: &'a Imported, known: (&Record, &BTreeSet<&str>)) -> Vec<&'a str> {
    let (record, there) = known;
    let kept: BTreeSet<&String> = record.values().flat_map(|imported| &imported.images).collect();
    let free = gone.images.iter().filter(|image| !kept.contains(image) && there.contains(image.as_str()));
    free.map(String::as_str).collect()
}

/// The archives in a folder of the root file system, by path. Files there have no times that tell one release from another.
fn shipped(folder: &Path) -> Result<BTreeMap<String, Print>, ImportError> {
    let mut files = BTreeMap::new();
    for path in fs::list(folder)?.into_iter().filter(|path| name(path).is_some()) {
        let Some(size) = fs::size(&path)? else { continue };
        // What is no archive is told when it is imported.
        let digest = archive::stamp(std::io::BufReader::new(fs::open(&path)?)).unwrap_or_else(|_| Digest::of(b""));
        let number = digest.as_bytes().iter().take(7).fold(0, |number, byte| number << 8 | i128::from(*byte));
        files.insert(path.display().to_string(), (size, number));
    }
    Ok(files)
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

    use super::{Access, Folder, Imported, PEACE, Record, Work, brought, fs, name, shipped, unneeded, work};

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
    fn an_archive_that_is_copied_again_keeps_its_images() {
        let list =
            |images: &[&str]| images.iter().fold("REF TYPE DIGEST\n".to_owned(), |list, i| format!("{list}{i} t d\n"));
        let set = |images: &[&str]| images.iter().map(|image| (*image).to_owned()).collect::<BTreeSet<_>>();
        let former = Imported { size: 5, written: 7, images: set(&["a:1", "b:1", "gone:1"]) };
        let same = list(&["a:1", "b:1", "other:1", "sha256:ab"]);
        let of = |named: &[&str], former| brought((&same, &same), &set(named), former);
        assert_eq!(of(&[], Some(&former)), set(&["a:1", "b:1"]), "nothing new, and no names");
        assert_eq!(of(&["b:1", "elsewhere:1"], Some(&former)), set(&["b:1"]), "it names what it has now");
        assert_eq!(of(&[], None), set(&[]));
        let new = brought((&list(&["a:1"]), &list(&["a:1", "c:1"])), &set(&[]), Some(&former));
        assert_eq!(new, set(&["c:1"]), "another archive in its place");
    }

    #[test]
    fn only_what_no_file_brings_any_more_is_let_go() {
        let images = BTreeSet::from(["a:1".to_owned(), "b:1".to_owned(), "gone:1".to_owned()]);
        let before = Imported { size: 5, written: 7, images };
        let there = BTreeSet::from(["a:1", "b:1", "c:1"]);
        assert_eq!(unneeded(&before, (&record("other.tar", 5, "b:1"), &there)), ["a:1"]);
    }

    #[test]
    fn what_came_with_the_root_is_known_by_its_content_and_need_not_rest() {
        let root = tempfile::tempdir().expect("a folder");
        for name in ["a.tar", "notes"] {
            fs::create_new(&root.path().join(name), Access::Public).expect("no archive");
        }
        let mut folder = Folder::default();
        let found = folder.shipped(root.path()).expect("read");
        assert_eq!(found.keys().collect::<Vec<_>>(), [&root.path().join("a.tar").display().to_string()]);
        assert_eq!(folder.due(&found), Some(found.clone()), "at rest at the first look");
        let (size, written) = found.into_values().next().expect("one");
        let kept = serde_json::json!(Imported { size, written, images: BTreeSet::new() });
        assert_eq!(kept["written"].as_i64().map(i128::from), Some(written), "it can be noted");
        assert_eq!(shipped(&root.path().join("none")).expect("read"), files(&[]));
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
