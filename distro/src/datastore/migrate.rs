//! Moves a cluster's objects from SQLite to an etcd of its own, while sk8s does not run.
//!
//! Every key is copied with its value and its time to live, and both sides are compared afterwards, key by key, before the
//! new one gets its name. Revisions in etcd begin above the last one in SQLite, so that no object's resource version ever
//! goes back and none is given twice. The old database stays where it is found again.

use std::{
    io::{self, BufReader},
    path::PathBuf,
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
    if !fs::exists(&paths.sqlite()) {
        return Err(MigrateError::Nothing(paths.sqlite()));
    }
    if has_member(&paths.etcd()) {
        return Err(MigrateError::Occupied(paths.etcd()));
    }
    let stage = paths.data.join(".migrating");
    fs::remove_tree(&stage)?;
    fs::create_folder(&stage, Access::Private, Account::ROOT)?;
    let moved = copy(settings, paths, &stage);
    let placed = moved.and_then(|(before, after)| {
        fs::rename(&stage.join("etcd"), &paths.etcd())?;
        let kept = paths.data.join("db.migrated");
        fs::remove_tree(&kept)?;
        fs::rename(&paths.data.join("db"), &kept)?;
        fs::persist(&paths.data)?;
        Ok(Migrated { before, after, kept })
    });
    fs::remove_tree(&stage)?;
    placed
}

/// Copies and compares, all in `stage`.
fn copy(settings: &Settings, paths: &Paths, stage: &std::path::Path) -> Result<(Summary, Summary), MigrateError> {
    let tools = Tools::of(paths);
    let (keys, again) = (stage.join("keys"), stage.join("again"));
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
