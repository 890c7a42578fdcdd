//! A look at the datastore before anything is built on it: a wrong one is refused at once and told in plain words, where
//! upstream's programs try again for minutes.

use std::path::{Path, PathBuf};

use super::{DatastoreError, Tool, Tools, migrate, note, tools::word};
use crate::{
    component::SOURCE_VARIABLE,
    config::{DataSource, ExternalEtcd, Storage},
    paths::Paths,
    peers::Known,
    sys::fs,
};

/// Looks whether the datastore that the configuration names can be used, and is where the cluster's objects are.
///
/// # Errors
/// If it cannot be, or if the objects are somewhere else.
pub fn check(storage: &Storage, paths: &Paths) -> Result<(), DatastoreError> {
    let tools = Tools::of(paths);
    here(storage, paths)?;
    match storage {
        Storage::Kine { source: DataSource::Sqlite } | Storage::Etcd(_) => Ok(()),
        Storage::Kine { source: DataSource::Mysql(url) | DataSource::Postgres(url) } => {
            tools.ask(Tool::Kine, &["check"], &[(SOURCE_VARIABLE, url)]).map(drop)
        }
        Storage::External(cluster) => {
            let words = words(cluster);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            tools.ask(Tool::Etcd, &words, &[]).map(drop)
        }
    }
}

/// Looks whether the cluster's objects are where the configuration names, of the places on this machine.
///
/// # Errors
/// If they are in another one, or were on their way to it when something cut that off.
pub fn here(storage: &Storage, paths: &Paths) -> Result<(), DatastoreError> {
    let (etcd, sqlite) = (has_member(&paths.etcd()), fs::exists(&paths.sqlite()));
    if sqlite && migrate::is_cut_off(paths) {
        return Err(DatastoreError::HalfMigrated);
    }
    match storage {
        Storage::Kine { source: DataSource::Sqlite } if etcd && !sqlite => Err(DatastoreError::StillEtcd(paths.etcd())),
        Storage::Etcd(_) if sqlite && !etcd => Err(DatastoreError::NotMigrated(paths.sqlite())),
        Storage::Kine { source: DataSource::Mysql(_) | DataSource::Postgres(_) } | Storage::External(_) if etcd => {
            Err(DatastoreError::StillHere(paths.etcd()))
        }
        Storage::Kine { source: DataSource::Mysql(_) | DataSource::Postgres(_) } | Storage::External(_) if sqlite => {
            Err(DatastoreError::StillHere(paths.sqlite()))
        }
        _ => present(storage, paths),
    }
}

/// Looks whether the objects that this machine has had are still there, and the log of this controller's member of etcd, where
/// there was one among others.
///
/// # Errors
/// If they are gone.
pub fn present(storage: &Storage, paths: &Paths) -> Result<(), DatastoreError> {
    let own = matches!(storage, Storage::Etcd(_));
    if own && Known::load(&paths.peers(), &paths.etcd())?.is_lost(&paths.etcd()) {
        return Err(DatastoreError::Lost(paths.etcd()));
    }
    match note::database(storage, paths) {
        Some(database) if note::is_gone(paths)? => Err(DatastoreError::Gone { database, note: paths.objects() }),
        _ => Ok(()),
    }
}

/// Whether there is anything to save: a controller may have been stopped before its datastore was made.
#[must_use]
pub fn is_made(storage: &Storage, paths: &Paths) -> bool {
    note::database(storage, paths).is_none_or(|database| note::is_written(&database))
}

/// Whether objects of a cluster are on this machine, or where any machine reaches them: who finds them made no new cluster.
#[must_use]
pub fn begun(storage: &Storage, paths: &Paths) -> bool {
    note::database(storage, paths).is_none_or(|_| objects(paths).is_some())
}

/// Where objects of a cluster lie on this machine, if there are any. A folder alone may be that of a disk which is mounted there.
#[must_use]
pub fn objects(paths: &Paths) -> Option<PathBuf> {
    let sqlite = Some(paths.sqlite()).filter(|file| fs::exists(file));
    sqlite.or_else(|| Some(paths.etcd()).filter(|folder| has_member(folder)))
}

/// Whether a member of etcd has ever lived in a folder.
pub(super) fn has_member(folder: &Path) -> bool {
    fs::exists(&folder.join("member"))
}

/// The words of a look at somebody else's etcd.
fn words(cluster: &ExternalEtcd) -> Vec<String> {
    let mut words = vec!["check".to_owned(), "--prefix".to_owned(), cluster.prefix.clone()];
    if let Some(files) = &cluster.tls {
        for (flag, path) in [("--cacert", &files.ca), ("--cert", &files.certificate), ("--key", &files.key)] {
            words.extend([flag.to_owned(), word(path)]);
        }
    }
    words.push(cluster.endpoints.join(","));
    words
}

#[cfg(test)]
pub(super) mod tests {
    use super::{DatastoreError, begun, here, is_made, objects, present};
    use crate::{
        config::{DataSource, EtcdMember, ExternalEtcd, Storage},
        datastore::note,
        paths::Paths,
        peers::{Company, Known, Peer},
        sys::{
            fs::{self, Access},
            machine,
        },
    };

    /// A data folder with nothing in it.
    pub fn place() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths { data: folder.path().to_owned(), ..Paths::default() };
        (folder, paths)
    }

    /// A file in the data folder.
    pub fn file(paths: &Paths, below: &str, content: &[u8]) {
        let path = paths.data.join(below);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, content, Access::Private, machine::account()).expect("written");
    }

    /// The default.
    pub const SQLITE: Storage = Storage::Kine { source: DataSource::Sqlite };

    /// etcd, managed.
    pub fn etcd() -> Storage {
        Storage::Etcd(EtcdMember::default())
    }

    /// Every way to have the objects kept by somebody else.
    fn elsewhere() -> [Storage; 3] {
        let external = ExternalEtcd { endpoints: Vec::new(), prefix: "/registry".to_owned(), tls: None };
        [
            Storage::Kine { source: DataSource::Mysql("mysql://x".to_owned()) },
            Storage::Kine { source: DataSource::Postgres("postgres://x".to_owned()) },
            Storage::External(external),
        ]
    }

    #[test]
    fn objects_are_looked_for_where_the_configuration_says() {
        let (_folder, paths) = place();
        let all = || elsewhere().into_iter().chain([SQLITE, etcd()]);
        assert!(all().all(|storage| here(&storage, &paths).is_ok()), "a new cluster");

        file(&paths, "db/state.db", b"x");
        assert!(here(&SQLITE, &paths).is_ok());
        assert!(matches!(here(&etcd(), &paths), Err(DatastoreError::NotMigrated(_))));
        for storage in elsewhere() {
            let refused = here(&storage, &paths).expect_err("an empty cluster under the old keys");
            assert!(matches!(&refused, DatastoreError::StillHere(path) if *path == paths.sqlite()), "{refused}");
        }

        fs::remove_tree(&paths.data.join("db")).expect("removed");
        file(&paths, "etcd/member/wal/0.wal", b"x");
        assert!(here(&etcd(), &paths).is_ok());
        assert!(matches!(here(&SQLITE, &paths), Err(DatastoreError::StillEtcd(_))));
        for storage in elsewhere() {
            let refused = here(&storage, &paths).expect_err("an empty cluster under the old keys");
            assert!(matches!(&refused, DatastoreError::StillHere(path) if *path == paths.etcd()), "{refused}");
        }
    }

    #[test]
    fn a_disk_that_is_mounted_for_etcd_holds_no_objects_yet() {
        let (_folder, paths) = place();
        file(&paths, "etcd/lost+found/.keep", b"x");
        assert_eq!((objects(&paths), begun(&etcd(), &paths)), (None, false));
        assert!(here(&etcd(), &paths).is_ok());
        file(&paths, "etcd/member/wal/0.wal", b"x");
        assert_eq!(objects(&paths), Some(paths.etcd()));
    }

    #[test]
    fn a_member_that_others_know_is_not_begun_anew() {
        let (_folder, paths) = place();
        let peer = Peer { name: "barn".parse().expect("a name"), url: "https://192.0.2.1:2380".to_owned() };
        let joining = Known { company: Company::Several, join: vec![peer] };
        joining.save(&paths.peers()).expect("written");
        assert!(here(&etcd(), &paths).is_ok(), "it joins");
        file(&paths, "etcd/member/wal/0.wal", b"x");
        assert!(here(&etcd(), &paths).is_ok(), "it has joined");
        fs::remove_tree(&paths.etcd()).expect("removed");
        let refused = here(&etcd(), &paths).expect_err("its disk is not mounted, or gone");
        assert!(refused.to_string().contains("`sk8s etcd leave"), "{refused}");
        assert!(present(&etcd(), &paths).is_err());
        for storage in elsewhere().into_iter().chain([SQLITE]) {
            assert!(present(&storage, &paths).is_ok(), "it is no member of anything any more");
        }
    }

    /// A data folder of a cluster on SQLite, whose objects are noted.
    pub fn noted() -> (tempfile::TempDir, Paths) {
        let (folder, paths) = place();
        file(&paths, "pki/ca.crt", b"ours");
        file(&paths, "db/state.db", b"objects");
        note(&SQLITE, &paths).expect("written");
        (folder, paths)
    }

    #[test]
    fn objects_that_are_gone_are_told_before_the_cluster_begins_anew() {
        let (_folder, paths) = noted();
        assert!(present(&SQLITE, &paths).is_ok());
        fs::remove_tree(&paths.data.join("db")).expect("removed");
        for storage in [SQLITE, etcd()] {
            let refused = present(&storage, &paths).expect_err("an empty cluster under the old keys").to_string();
            assert!(refused.contains("mount it") && refused.contains("sk8s restore"), "{refused}");
            assert!(here(&storage, &paths).is_err());
        }
        assert!(elsewhere().iter().all(|storage| present(storage, &paths).is_ok()), "they are not kept here");
        fs::remove_file(&paths.objects()).expect("removed");
        assert!(present(&SQLITE, &paths).is_ok(), "as its owner wishes");
    }

    #[test]
    fn there_is_nothing_to_save_before_the_datastore_is_made() {
        let (_folder, paths) = place();
        assert!(!is_made(&SQLITE, &paths) && !is_made(&etcd(), &paths));
        assert!(elsewhere().iter().all(|storage| is_made(storage, &paths)));
        std::fs::create_dir_all(paths.data.join("etcd/member/wal")).expect("made");
        assert!(!is_made(&etcd(), &paths), "cut off at its very first start");
        file(&paths, "etcd/member/snap/db", b"x");
        file(&paths, "db/state.db", b"x");
        assert!(is_made(&SQLITE, &paths) && is_made(&etcd(), &paths));
    }
}
