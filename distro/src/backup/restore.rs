//! Makes a cluster's state of a backup, on a machine that has none.
//!
//! Everything is unpacked, verified and made ready in a folder of its own. Only then does each part get its name, keys last;
//! as long as that folder is there, nothing starts from what is only half in place.
//!
//! Revisions of the objects go on far above the backup's last, and everything before counts as compacted: clients of the
//! cluster have seen revisions that came after the backup, and are told to list again instead of being given the same
//! numbers for other things. SQLite and etcd do the same here, each by its own tool.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom as _, SystemRandom};
use skerry_formats::name::Name;

use super::{
    error::BackupError,
    format::{Datastore, Manifest},
    read,
};
use crate::{
    config::{EtcdMember, Raw, Settings, Storage},
    datastore::{Summary, Tool, Tools, word},
    paths::Paths,
    peers,
    pki::NoRandomness,
    status,
    sys::{
        accounts::Account,
        addresses::sought,
        fs::{self, Access},
        machine,
    },
    version::{self, Release},
};

/// Where a backup comes from.
pub struct Source<'a> {
    /// The archive.
    pub archive: &'a mut dyn Read,
    /// Its file, if it is one.
    pub file: Option<&'a Path>,
    /// A configuration instead of the archive's own.
    pub configuration: Option<String>,
}

/// Where it is restored.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Where things are.
    pub paths: &'a Paths,
    /// Where the configuration is written; into the data folder if `None`.
    pub configuration: Option<&'a Path>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup said.
    pub manifest: Manifest,
    /// The objects as they are now, where they were in the backup.
    pub objects: Option<Summary>,
    /// The configuration that came with it.
    pub configuration: Option<PathBuf>,
}

/// Revisions that are left out: more than a cluster writes in years.
pub(crate) const BUMP: &str = "1000000000";

/// Refuses to go on where a restore did not end.
///
/// # Errors
/// If one did not.
pub fn unfinished(paths: &Paths) -> Result<(), BackupError> {
    if fs::exists(&paths.data.join(STAGE)) { Err(BackupError::Unfinished) } else { Ok(()) }
}

const STAGE: &str = ".restoring";

/// What a cluster's state lies in, by the order in which it is put in place: without keys, there is no cluster.
const PARTS: [&str; 4] = ["manifests", "db", "etcd", "pki"];

/// Restores a backup.
///
/// # Errors
/// If sk8s runs, a cluster is there, the archive is damaged in any byte, or its objects cannot be made ready. Whatever fails
/// before the parts get their names leaves nothing behind.
pub fn restore(source: Source<'_>, target: Target<'_>) -> Result<Restored, BackupError> {
    let paths = target.paths;
    if status::ask(&paths.status_socket()).is_ok() {
        return Err(BackupError::Running(paths.status_socket()));
    }
    let stage = paths.data.join(STAGE);
    if fs::exists(&stage) {
        // Nothing starts while the folder is there, so these parts are from the restore that did not end.
        for part in PARTS {
            fs::remove_tree(&paths.data.join(part))?;
        }
        fs::remove_tree(&stage)?;
    }
    vacant(paths, source.file)?;
    if !fs::exists(&paths.data) {
        fs::create_folder(&paths.data, Access::Public, Account::ROOT)?;
    }
    fs::create_folder(&stage, Access::Private, Account::ROOT)?;
    let made = make_ready(source, &stage, paths);
    if made.is_err() {
        fs::remove_tree(&stage)?;
    }
    let (manifest, objects) = made?;
    version::record(paths, manifest.made_by)?;
    let configuration = place(&stage, target)?;
    fs::remove_tree(&stage)?;
    fs::persist(&paths.data)?;
    Ok(Restored { manifest, objects, configuration })
}

/// Pods of another cluster would live on in containerd's folder.
fn vacant(paths: &Paths, archive: Option<&Path>) -> Result<(), BackupError> {
    for part in PARTS.into_iter().chain(["containerd"]) {
        let folder = paths.data.join(part);
        if !fs::is_empty(&folder)? {
            return Err(BackupError::Occupied { folder, backups: backups(paths, archive)? });
        }
    }
    Ok(())
}

/// Backups below the data folder, which a reset would take with the cluster.
fn backups(paths: &Paths, archive: Option<&Path>) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    for folder in [paths.snapshots(), paths.upgrades()] {
        if !fs::is_empty(&folder)? {
            found.push(folder);
        }
    }
    if let Some(archive) = archive {
        let (file, data) = (fs::real(archive)?, fs::real(&paths.data)?);
        let below = file.strip_prefix(&data).map(|below| paths.data.join(below));
        found.extend(below.ok().filter(|file| !found.iter().any(|folder| file.starts_with(folder))));
    }
    Ok(found)
}

/// Unpacks, verifies and makes the datastore, all in `stage`.
fn make_ready(source: Source<'_>, stage: &Path, paths: &Paths) -> Result<(Manifest, Option<Summary>), BackupError> {
    let manifest = read::unpack(source.archive, stage)?;
    version::step(Some(manifest.made_by), Release::own()?)?;
    let own = stage.join("configuration/sk8s.yaml");
    let text = match source.configuration {
        Some(text) => text,
        None => fs::read_if_there(&own)?.unwrap_or_default(),
    };
    let raw = Raw::parse(&text).map_err(BackupError::Config)?;
    let settings = Settings::validate(&raw, &machine::host_name()).map_err(BackupError::Invalid)?;
    let tools = Tools::of(paths);
    let objects = match (manifest.datastore, manifest.datastore.file()) {
        (Datastore::Sqlite { .. }, Some(file)) => {
            fs::create_folder(&stage.join("db"), Access::Private, Account::ROOT)?;
            let (from, to) = (word(&stage.join(file)), word(&stage.join("db/state.db")));
            Some(tools.summary(Tool::Kine, &["restore", &from, &to, BUMP])?)
        }
        (Datastore::Etcd { .. }, Some(file)) => {
            let who = member(&settings)?;
            let (from, to) = (word(&stage.join(file)), word(&stage.join("etcd")));
            let mut words = vec!["restore", "--bump", BUMP];
            words.extend(who.iter().map(String::as_str));
            words.extend([from.as_str(), to.as_str()]);
            Some(tools.summary(Tool::Etcd, &words)?)
        }
        _ => None,
    };
    Ok((manifest, objects))
}

/// The words that tell etcd's tools which member a folder is made for.
pub(crate) fn member(settings: &Settings) -> Result<[String; 3], BackupError> {
    let wish = settings.node_address.as_ref();
    let machine = machine::observe(wish).ok_or_else(|| BackupError::NoAddress(sought(wish)))?;
    let usual = EtcdMember::default();
    let member = match &settings.storage {
        Storage::Etcd(member) => member,
        Storage::Kine { .. } | Storage::External(_) => &usual,
    };
    Ok([
        format!("--name={}", settings.node),
        format!("--peer-url={}", peers::url(member.peer_address.unwrap_or(machine.address))),
        token(&settings.cluster)?,
    ])
}

/// The numbers of etcd's cluster and its member are made from this and the address. They must be new ones: members of the
/// cluster that the backup is of may be about still, and etcd keeps them apart by nothing else.
fn token(cluster: &Name) -> Result<String, BackupError> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(format!("--token={cluster}-{:016x}", u64::from_be_bytes(bytes)))
}

/// Gives every part its name.
fn place(stage: &Path, target: Target<'_>) -> Result<Option<PathBuf>, BackupError> {
    let data = &target.paths.data;
    let own = stage.join("configuration/sk8s.yaml");
    let mut configuration = None;
    if let Some(text) = fs::read_if_there(&own)? {
        let usual = data.join("sk8s.restored.yaml");
        let path = target.configuration.unwrap_or(&usual);
        fs::write(path, text.as_bytes(), Access::Private, Account::ROOT)?;
        configuration = Some(path.to_owned());
    }
    for part in PARTS {
        let from = stage.join(part);
        if !fs::exists(&from) {
            continue;
        }
        fs::rename(&from, &data.join(part))?;
    }
    fs::persist(data)?;
    Ok(configuration)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Access, BackupError, fs, machine, token, vacant};
    use crate::paths::Paths;

    #[test]
    fn a_restored_cluster_is_another_one_than_before_for_etcd() {
        let name = "shed".parse().expect("a name");
        let tokens = [token(&name).expect("made"), token(&name).expect("made")];
        assert!(tokens.iter().all(|token| token.starts_with("--token=shed-")), "{tokens:?}");
        assert_ne!(tokens[0], tokens[1]);
    }

    fn refused(paths: &Paths, archive: Option<&Path>) -> String {
        let error = vacant(paths, archive).expect_err("occupied");
        assert!(matches!(error, BackupError::Occupied { .. }), "{error}");
        error.to_string().replace(&paths.data.display().to_string(), "DATA")
    }

    #[test]
    fn who_is_to_reset_is_told_which_backups_would_go_too() {
        let place = tempfile::tempdir().expect("a folder");
        let paths = Paths { data: place.path().join("data"), ..Paths::default() };
        assert!(vacant(&paths, None).is_ok());
        let file = |below: &str| {
            let path = place.path().join(below);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, b"", Access::Private, machine::account()).expect("written");
            path
        };
        file("data/pki/ca.key");
        let (outside, inside) = (file("usb/a.tar.zst"), file("data/a.tar.zst"));
        let head = "`DATA/pki` holds a cluster already; restore into an empty folder with `--data-dir`, or ";
        let plain = format!("{head}remove this one with `sk8s reset`");
        assert_eq!(refused(&paths, None), plain);
        assert_eq!(refused(&paths, Some(&outside)), plain);
        let warned = |what: &str| {
            format!(
                "{head}move {what} elsewhere first, and then remove this one with `sk8s reset`, which takes all that lies beside it"
            )
        };
        assert_eq!(refused(&paths, Some(&inside)), warned("`DATA/a.tar.zst`"));
        let snapshot = file("data/snapshots/b.tar.zst");
        assert_eq!(refused(&paths, Some(&snapshot)), warned("`DATA/snapshots`"));
        file("data/upgrades/c.tar.zst");
        assert_eq!(refused(&paths, Some(&inside)), warned("`DATA/snapshots`, `DATA/upgrades`, `DATA/a.tar.zst`"));
        let around = place.path().join("usb/../data/a.tar.zst");
        assert_eq!(refused(&paths, Some(&around)), warned("`DATA/snapshots`, `DATA/upgrades`, `DATA/a.tar.zst`"));
    }
}
