//! The note of which cluster's objects lie on this machine: by it, a datastore that is gone is told from one that is yet to be
//! made. One line: the digest of the cluster's CA certificate, two spaces, and the database's path.

use std::path::{Path, PathBuf};

use skerry_formats::digest::Digest;

use crate::{
    config::{DataSource, Storage},
    paths::Paths,
    sys::{
        fs::{self, Access, FsError},
        machine,
    },
};

/// The file that is there once a datastore on this machine is made; `None` where the objects are elsewhere.
pub(super) fn database(storage: &Storage, paths: &Paths) -> Option<PathBuf> {
    match storage {
        Storage::Kine { source: DataSource::Sqlite } => Some(paths.sqlite()),
        Storage::Etcd(_) => Some(paths.etcd_database()),
        Storage::Kine { .. } | Storage::External(_) => None,
    }
}

/// Whether a database has been written. A power cut may leave the bare name.
pub(super) fn is_written(database: &Path) -> bool {
    fs::size(database).is_ok_and(|size| size > Some(0))
}

/// Notes that the cluster's objects lie on this machine, if they do. What is noted outlives a power cut: else the next start
/// would miss what has never been.
///
/// # Errors
/// If it cannot be read or written.
pub fn note(storage: &Storage, paths: &Paths) -> Result<(), FsError> {
    let Some(database) = database(storage, paths).filter(|file| is_written(file)) else { return Ok(()) };
    let Some(cluster) = cluster(paths)? else { return Ok(()) };
    let line = format!("{cluster}  {}\n", database.display());
    if fs::read_if_there(&paths.objects())?.as_deref() == Some(&line) {
        return Ok(());
    }
    for path in database.ancestors().take_while(|path| path.starts_with(&paths.data)) {
        fs::persist(path)?;
    }
    fs::write(&paths.objects(), line.as_bytes(), Access::Private, machine::account())
}

/// Whether the objects of the cluster whose keys are here have been on this machine, and are not any more.
///
/// # Errors
/// If it cannot be read.
pub(super) fn is_gone(paths: &Paths) -> Result<bool, FsError> {
    if [paths.sqlite(), paths.etcd_database()].iter().any(|file| is_written(file)) {
        return Ok(false);
    }
    let Some(noted) = fs::read_if_there(&paths.objects())? else { return Ok(false) };
    Ok(cluster(paths)?.is_some_and(|cluster| noted.starts_with(&cluster)))
}

/// What tells the cluster whose keys are here from any other.
fn cluster(paths: &Paths) -> Result<Option<String>, FsError> {
    let authority = fs::read_if_there(&paths.pki().join("ca.crt"))?;
    Ok(authority.map(|text| Digest::of(text.as_bytes()).to_string()))
}

#[cfg(test)]
mod tests {
    use super::{is_gone, note};
    use crate::{
        config::{DataSource, Storage},
        datastore::check::tests::{SQLITE, etcd, file, noted, place},
        sys::fs,
    };

    #[test]
    fn only_what_has_been_there_can_be_gone() {
        for (storage, database, folder) in [(SQLITE, "db/state.db", "db"), (etcd(), "etcd/member/snap/db", "etcd")] {
            let (_folder, paths) = place();
            let noted = || {
                note(&storage, &paths).expect("written");
                (fs::exists(&paths.objects()), is_gone(&paths).expect("read"))
            };
            assert_eq!(noted(), (false, false), "a new machine");
            file(&paths, "pki/ca.crt", b"ours");
            assert_eq!(noted(), (false, false), "a cluster that has not begun");
            file(&paths, database, b"");
            assert_eq!(noted(), (false, false), "cut off at its first start");
            file(&paths, database, b"objects");
            assert_eq!(noted(), (true, false));
            file(&paths, database, b"");
            assert_eq!(noted(), (true, true), "its content is gone");
            fs::remove_tree(&paths.data.join(folder)).expect("removed");
            assert_eq!(noted(), (true, true));
            file(&paths, "pki/ca.crt", b"another cluster's");
            assert_eq!(noted(), (true, false), "a new cluster on the same machine");
            file(&paths, database, b"objects");
            assert_eq!(noted(), (true, false));
            fs::remove_tree(&paths.data.join(folder)).expect("removed");
            assert_eq!(noted(), (true, true), "it is noted in the former one's place");
            fs::remove_tree(&paths.pki()).expect("removed");
            assert_eq!(noted(), (true, false), "without keys there is no cluster");
        }
    }

    #[test]
    fn objects_that_moved_are_not_gone() {
        let (_folder, paths) = noted();
        file(&paths, "etcd/member/snap/db", b"objects");
        fs::remove_tree(&paths.data.join("db")).expect("removed");
        assert!(!is_gone(&paths).expect("read"));
        let elsewhere = Storage::Kine { source: DataSource::Postgres("postgres://x".to_owned()) };
        note(&elsewhere, &paths).expect("nothing to note");
        assert!(fs::read_to_string(&paths.objects()).expect("as it was").contains("db/state.db"));
    }
}
