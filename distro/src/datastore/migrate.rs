//! Moves a cluster's objects from SQLite to an etcd of its own, while sk8s does not run.
//!
//! Every key is copied with its value and its time to live, and both sides are compared afterwards, key by key, before the
//! new one gets its name. Revisions in etcd begin above the last one in SQLite, so that no object's resource version ever
//! goes back and none is given twice. The old database stays where it is found again. Cut off at any point, the same verb begins
//! again or ends it, and nothing starts in between.

use std::{
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use super::{
    DatastoreError, Summary, Tool, Tools,
    check::has_member,
    compare::{Difference, Verdict, compare},
    tools::word,
};
use crate::{
    backup::{BackupError, member},
    config::{Settings, Storage},
    paths::Paths,
    status,
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
    },
};

/// Objects that could not be moved. Whatever happened, the old database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A datastore.
    #[error(transparent)]
    Datastore(#[from] DatastoreError),
    /// sk8s runs.
    #[error("sk8s runs here (`{}` answers): stop it first", .0.display())]
    Running(PathBuf),
    /// The configuration asks for something else.
    #[error(
        "objects are moved to what the configuration asks for, which is not etcd: set `spec.storage.type` to `etcd`"
    )]
    NotAskedFor,
    /// There is nothing to move.
    #[error("there is no `{}`: nothing to move", .0.display())]
    Nothing(PathBuf),
    /// There is something where it would go.
    #[error("`{}` holds a member of etcd already", .0.display())]
    Occupied(PathBuf),
    /// The member has an address and a name.
    #[error("could not tell the member's address")]
    Member(#[source] BackupError),
    /// An export.
    #[error("could not compare the two")]
    Compare(#[source] io::Error),
    /// The two are not the same.
    #[error("after the move, `{key}` {}: nothing was changed", match .how {
        Difference::Missing => "is missing",
        Difference::Extra => "is there, but was not before",
        Difference::Value => "has another value",
    })]
    Differs {
        /// Where they part.
        key: String,
        /// How.
        how: Difference,
    },
    /// Revisions would go back.
    #[error("after the move, revisions would go on at {after}, below {before}: nothing was changed")]
    Revisions {
        /// The last of the old.
        before: u64,
        /// The last of the new.
        after: u64,
    },
}

/// Objects that were moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// SQLite as it was.
    pub before: Summary,
    /// etcd as it is.
    pub after: Summary,
    /// Where the old database is now.
    pub kept: PathBuf,
}

/// Moves the objects.
///
/// # Errors
/// If sk8s runs, the configuration does not ask for etcd, there is nothing to move or no room for it, or the two are not the
/// same afterwards.
pub fn migrate(settings: &Settings, paths: &Paths) -> Result<Migrated, MigrateError> {
    if status::ask(&paths.status_socket()).is_ok() {
        return Err(MigrateError::Running(paths.status_socket()));
    }
    if !matches!(settings.storage, Storage::Etcd(_)) {
        return Err(MigrateError::NotAskedFor);
    }
    if is_cut_off(paths) {
        end(paths)?;
        let tools = Tools::of(paths);
        let before = tools.summary(Tool::Kine, &["inspect", &word(&kept(paths).join("state.db"))])?;
        let after = tools.summary(Tool::Etcd, &["inspect", &word(&paths.etcd_database())])?;
        return Ok(Migrated { before, after, kept: kept(paths) });
    }
    if !fs::exists(&paths.sqlite()) {
        return Err(MigrateError::Nothing(paths.sqlite()));
    }
    if has_member(&paths.etcd()) {
        return Err(MigrateError::Occupied(paths.etcd()));
    }
    let stage = stage(paths);
    fs::remove_tree(&stage)?;
    fs::create_folder(&stage, Access::Private, Account::ROOT)?;
    let moved = copy(settings, paths, &stage).and_then(|found| {
        begin(paths)?;
        Ok(found)
    });
    if moved.is_err() {
        fs::remove_tree(&stage)?;
    }
    let (before, after) = moved?;
    end(paths)?;
    Ok(Migrated { before, after, kept: kept(paths) })
}

/// What is not in its place yet.
fn stage(paths: &Paths) -> PathBuf {
    paths.data.join(".migrating")
}

/// The old database as it is found again.
fn kept(paths: &Paths) -> PathBuf {
    paths.data.join("db.migrated")
}

/// In the stage: what was in SQLite, and what is in etcd. The second is there once the new one is whole.
const EXPORTS: [&str; 2] = ["keys", "again"];

/// Gives the new one its name. From here on the move is to be ended, and nothing else may be done with either: the stage, which
/// tells so, goes last.
fn begin(paths: &Paths) -> Result<(), FsError> {
    let stage = stage(paths);
    fs::persist(&stage)?;
    fs::rename(&stage.join("etcd"), &paths.etcd())?;
    fs::persist(&paths.data)
}

/// Whether a move that gave the new one its name was cut off before it ended.
pub(super) fn is_cut_off(paths: &Paths) -> bool {
    let stage = stage(paths);
    let compared = EXPORTS.iter().all(|name| fs::exists(&stage.join(name))) || !fs::exists(&paths.sqlite());
    compared
        && fs::exists(&stage)
        && !fs::exists(&stage.join("etcd"))
        && has_member(&paths.etcd())
        && (fs::exists(&paths.sqlite()) || fs::exists(&kept(paths)))
}

/// Puts the old one aside, where that was not done yet.
fn end(paths: &Paths) -> Result<(), FsError> {
    if fs::exists(&paths.sqlite()) {
        fs::remove_tree(&kept(paths))?;
        fs::rename(&paths.data.join("db"), &kept(paths))?;
        fs::persist(&paths.data)?;
    }
    fs::remove_tree(&stage(paths))
}

/// Copies and compares, all in `stage`.
fn copy(settings: &Settings, paths: &Paths, stage: &Path) -> Result<(Summary, Summary), MigrateError> {
    let tools = Tools::of(paths);
    let [keys, again] = EXPORTS.map(|name| stage.join(name));
    let before = tools.summary(Tool::Kine, &["export", &word(&paths.sqlite()), &word(&keys)])?;
    let who = member(settings).map_err(MigrateError::Member)?;
    let (above, from, to) = (format!("--above={}", before.revision), word(&keys), word(&stage.join("etcd")));
    let mut words = vec!["import", above.as_str()];
    words.extend(who.iter().map(String::as_str));
    words.extend([from.as_str(), to.as_str()]);
    let after = tools.summary(Tool::Etcd, &words)?;
    let made = stage.join("etcd/member/snap/db");
    tools.summary(Tool::Etcd, &["export", &word(&made), &word(&again)])?;
    let verdict = compare(BufReader::new(fs::open(&keys)?), BufReader::new(fs::open(&again)?));
    match verdict.map_err(MigrateError::Compare)? {
        Verdict::Same(_) if after.revision > before.revision => Ok((before, after)),
        Verdict::Same(_) => Err(MigrateError::Revisions { before: before.revision, after: after.revision }),
        Verdict::Differs { key, how } => Err(MigrateError::Differs { key, how }),
    }
}

#[cfg(test)]
mod tests {
    use super::{begin, end, is_cut_off, kept, stage};
    use crate::{
        config::{DataSource, EtcdMember, Storage},
        datastore::{DatastoreError, here},
        paths::Paths,
        sys::{
            fs::{self, Access},
            machine,
        },
    };

    const SQLITE: Storage = Storage::Kine { source: DataSource::Sqlite };

    fn etcd() -> Storage {
        Storage::Etcd(EtcdMember::default())
    }

    fn file(paths: &Paths, below: &str) {
        let path = paths.data.join(below);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, b"x", Access::Private, machine::account()).expect("written");
    }

    /// A database, and a stage with what a move has made so far.
    fn place(made: &[&str]) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths { data: folder.path().to_owned(), ..Paths::default() };
        file(&paths, "db/state.db");
        made.iter().for_each(|name| file(&paths, &format!(".migrating/{name}")));
        (folder, paths)
    }

    /// All that a move makes before anything gets its name.
    const WHOLE: [&str; 3] = ["keys", "again", "etcd/member/snap/db"];

    fn assert_ended(paths: &Paths) {
        assert!(fs::exists(&kept(paths).join("state.db")) && !fs::exists(&paths.sqlite()));
        assert!(fs::exists(&paths.etcd_database()) && !fs::exists(&stage(paths)));
        assert!(here(&etcd(), paths).is_ok() && !is_cut_off(paths));
        assert!(matches!(here(&SQLITE, paths), Err(DatastoreError::StillEtcd(_))), "the guard stands");
    }

    #[test]
    fn cut_off_before_anything_got_its_name_it_begins_again() {
        for count in 1..=WHOLE.len() {
            let (_folder, paths) = place(&WHOLE[..count]);
            assert!(!is_cut_off(&paths));
            assert!(here(&SQLITE, &paths).is_ok(), "all is as it was");
            assert!(matches!(here(&etcd(), &paths), Err(DatastoreError::NotMigrated(_))));
        }
    }

    #[test]
    fn cut_off_between_the_two_names_nothing_starts_and_it_is_ended() {
        let (_folder, paths) = place(&WHOLE);
        begin(&paths).expect("named");
        assert!(is_cut_off(&paths));
        for storage in [SQLITE, etcd()] {
            let refused = here(&storage, &paths).expect_err("two that are whole");
            assert!(refused.to_string().contains("repeat `sk8s storage migrate`"), "{refused}");
        }
        end(&paths).expect("ended");
        assert_ended(&paths);
    }

    #[test]
    fn cut_off_while_an_earlier_moves_database_goes_it_is_ended() {
        let (_folder, paths) = place(&WHOLE);
        file(&paths, "db.migrated/of-an-earlier-one");
        begin(&paths).expect("named");
        end(&paths).expect("ended");
        assert_ended(&paths);
        assert!(!fs::exists(&kept(&paths).join("of-an-earlier-one")));
    }

    #[test]
    fn cut_off_before_the_stage_is_gone_it_starts_and_can_be_ended() {
        for left in [&["keys", "again"][..], &["keys"], &["again"], &[]] {
            let (_folder, paths) = place(&WHOLE);
            begin(&paths).expect("named");
            fs::rename(&paths.data.join("db"), &kept(&paths)).expect("named");
            for name in ["keys", "again"].iter().filter(|name| !left.contains(name)) {
                fs::remove_file(&stage(&paths).join(name)).expect("removed");
            }
            assert!(here(&etcd(), &paths).is_ok(), "{left:?}");
            assert!(is_cut_off(&paths), "{left:?}");
            end(&paths).expect("ended");
            assert_ended(&paths);
        }
    }

    #[test]
    fn a_member_that_no_move_made_is_left_alone() {
        let (_folder, paths) = place(&["keys"]);
        file(&paths, "etcd/member/snap/db");
        assert!(!is_cut_off(&paths), "the stage never had one");
        let (_folder, paths) = place(&WHOLE);
        file(&paths, "etcd/member/snap/db");
        assert!(!is_cut_off(&paths), "the stage has one still");
    }
}
