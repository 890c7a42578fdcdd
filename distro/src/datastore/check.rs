//! A look at the datastore before anything is built on it: a wrong one is refused at once and told in plain words, where
//! upstream's programs try again for minutes.

use std::path::Path;

use super::{DatastoreError, Tool, Tools, tools::word};
use crate::{
    component::SOURCE_VARIABLE,
    config::{DataSource, ExternalEtcd, Storage},
    paths::Paths,
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
/// If they are in the other one.
pub fn here(storage: &Storage, paths: &Paths) -> Result<(), DatastoreError> {
    let (etcd, sqlite) = (has_member(&paths.etcd()), fs::exists(&paths.sqlite()));
    match storage {
        Storage::Kine { source: DataSource::Sqlite } if etcd && !sqlite => Err(DatastoreError::StillEtcd(paths.etcd())),
        Storage::Etcd(_) if sqlite && !etcd => Err(DatastoreError::NotMigrated(paths.sqlite())),
        _ => Ok(()),
    }
}

/// Whether objects of a cluster are on this machine, or where any machine reaches them: who finds them made no new cluster.
#[must_use]
pub fn begun(storage: &Storage, paths: &Paths) -> bool {
    match storage {
        Storage::Kine { source: DataSource::Sqlite } | Storage::Etcd(_) => {
            fs::exists(&paths.sqlite()) || has_member(&paths.etcd())
        }
        Storage::Kine { .. } | Storage::External(_) => true,
    }
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
