//! Makes a backup, of a cluster that may be at work.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    draft::{self, Draft},
    error::BackupError,
    format::{Datastore, Manifest, Origin, Readable},
    write::{self, Content, Entry},
};
use crate::{
    component::{ComponentId, etcd},
    config::{DataSource, Settings, Storage},
    datastore::{self, Tool, Tools, word},
    paths::Paths,
    peers::Etcd,
    pki::{Keyring, Leaf, LeafId, Shared, UnixTime, load_keyring},
    status,
    sys::{
        accounts::Account,
        fs::{self, Access},
    },
    version::{self, Release},
};

/// What is to be saved.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What the node is.
    pub settings: &'a Settings,
    /// Where things are.
    pub paths: &'a Paths,
    /// The text of its configuration, if it has any.
    pub configuration: Option<&'a str>,
    /// The time that the backup tells.
    pub now: UnixTime,
    /// Whether the cluster is at work.
    pub servers: Servers,
}

/// Whether the servers of a cluster's objects run on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    /// They run, and are asked.
    Running,
    /// They do not run: their files are as they left them.
    Stopped,
}

impl Servers {
    /// As they are now.
    #[must_use]
    pub fn now(paths: &Paths) -> Self {
        if status::ask(&paths.status_socket()).is_ok() { Self::Running } else { Self::Stopped }
    }
}

/// Where a backup goes.
pub enum Destination<'a> {
    /// To a file in this folder, which is made if need be.
    Folder(&'a Path),
    /// Out of the program.
    Stream(&'a mut dyn Write),
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its file, if it went to one.
    pub path: Option<PathBuf>,
    /// Where its objects come from.
    pub datastore: Datastore,
}

/// Folders of the data folder that a cluster cannot be made again from anything else.
pub(super) const FOLDERS: [&str; 2] = ["manifests", "pki"];

/// Makes a backup. The objects are of one moment; keys and manifests are read before, and the keys of Secrets once more after.
///
/// # Errors
/// If there is no cluster, its datastore does not answer, or a file cannot be read or written. Nothing of a backup that
/// failed stays.
pub fn save(order: &Order<'_>, destination: Destination<'_>) -> Result<Saved, BackupError> {
    if !fs::exists(&order.paths.pki().join("ca.crt")) {
        return Err(BackupError::NoCluster(order.paths.data.clone()));
    }
    datastore::here(&order.settings.storage, order.paths)?;
    let beside = match &destination {
        Destination::Folder(folder) => folder,
        Destination::Stream(_) => order.paths.data.as_path(),
    };
    if !fs::exists(beside) {
        fs::create_folder(beside, Access::Private, Account::ROOT)?;
    }
    let draft = Draft::create(beside, &order.settings.node)?;
    let (datastore, entries) = collect(order, &draft)?;
    let members = entries.iter().map(Entry::member).collect::<Result<Vec<_>, _>>()?;
    // What another version left is that version's to restore.
    let last = version::last(order.paths)?;
    let origin = Origin {
        made_by: last.map_or_else(Release::own, Ok)?,
        made_at: order.now.0,
        cluster: order.settings.cluster.to_string(),
        node: order.settings.node.to_string(),
    };
    let manifest = Manifest::new(origin, datastore, members);
    let path = match destination {
        Destination::Stream(out) => {
            write::write(out, &manifest, &entries)?;
            None
        }
        Destination::Folder(folder) => {
            let partial = draft.path("archive");
            write::write(&mut fs::create_new(&partial, Access::Private)?, &manifest, &entries)?;
            fs::persist(&partial)?;
            Some(draft::place(&partial, folder, (order.now, &order.settings.node))?)
        }
    };
    Ok(Saved { path, datastore })
}

fn collect(order: &Order<'_>, draft: &Draft) -> Result<(Datastore, Vec<Entry>), BackupError> {
    let pki = order.paths.pki();
    let before = load_keyring(&pki)?;
    let mut entries = files(order)?;
    let (datastore, file) = datastore(order, draft)?;
    if let Some(keyring) = readers(before, load_keyring(&pki)?) {
        let text = format!("{:#}\n", serde_json::json!(keyring));
        let content = Content::Bytes(text.into_bytes());
        entries.push(Entry { path: KEYRING.parse()?, readable: Readable::Owner, content });
    }
    if let (Some(name), Some(file)) = (datastore.file(), file) {
        entries.push(Entry { path: name.parse()?, readable: Readable::Owner, content: Content::File(file) });
    }
    Ok((datastore, entries))
}

/// The keys of Secrets among the entries.
const KEYRING: &str = "pki/keyring.json";

/// The keys that read each Secret of a moment between two looks at them. Those of before alone may lack the one of a change
/// that began since, those of after the one of a change that ended. One comes and goes in six steps, each as long as
/// kube-apiserver takes to look for new keys, and not in between. The generation is that of before, so that a restored
/// controller takes in what its objects say of later ones.
fn readers(before: Option<Keyring>, after: Option<Keyring>) -> Option<Keyring> {
    match (before, after) {
        (Some(before), Some(after)) => Some(before.with(&after)),
        (before, after) => before.or(after),
    }
}

/// Configuration, manifests and keys, but for those of Secrets.
fn files(order: &Order<'_>) -> Result<Vec<Entry>, BackupError> {
    let mut entries = Vec::new();
    if let Some(text) = order.configuration {
        let content = Content::Bytes(text.as_bytes().to_vec());
        entries.push(Entry { path: "configuration/sk8s.yaml".parse()?, readable: Readable::Owner, content });
    }
    for name in FOLDERS {
        for found in fs::files_below(&order.paths.data.join(name))? {
            let Ok(below) = found.path.strip_prefix(&order.paths.data) else { continue };
            if below == Path::new(KEYRING) {
                continue;
            }
            let readable = match found.access {
                Access::Private => Readable::Owner,
                Access::Public | Access::Program => Readable::Everyone,
            };
            let content = Content::Bytes(fs::read_bytes(&found.path)?);
            entries.push(Entry { path: below.display().to_string().parse()?, readable, content });
        }
    }
    Ok(entries)
}

/// A copy of the objects, of one moment.
fn datastore(order: &Order<'_>, draft: &Draft) -> Result<(Datastore, Option<PathBuf>), BackupError> {
    let tools = Tools::of(order.paths);
    let copy = draft.path("copy");
    match &order.settings.storage {
        Storage::Kine { source: DataSource::Sqlite } => {
            let found = tools.summary(Tool::Kine, &["snapshot", &word(&order.paths.sqlite()), &word(&copy)])?;
            Ok((Datastore::sqlite(found), Some(copy)))
        }
        Storage::Etcd(_) if order.servers == Servers::Stopped => {
            let left = word(&order.paths.etcd_database());
            Ok((Datastore::etcd(tools.summary(Tool::Etcd, &["copy", &left, &word(&copy)])?), Some(copy)))
        }
        Storage::Etcd(_) => {
            let leaf = LeafId::ApiServerEtcdClient;
            let authority = order.paths.of(ComponentId::KubeApiserver).join(Shared::EtcdCa.file());
            let files = [authority, leaf.certificate(order.paths), leaf.key(order.paths)].map(|path| word(&path));
            let [authority, certificate, key] = &files;
            answers([authority, certificate, key].map(Path::new))?;
            let words = ["snapshot", "--endpoint", etcd::CLIENT_URL, "--cacert", authority, "--cert", certificate];
            let copied = word(&copy);
            let words: Vec<&str> = words.into_iter().chain(["--key", key, copied.as_str()]).collect();
            Ok((Datastore::etcd(tools.summary(Tool::Etcd, &words)?), Some(copy)))
        }
        Storage::Kine { .. } | Storage::External(_) => Ok((Datastore::External, None)),
    }
}

/// An etcd that was started again and has no majority takes connections, and answers none: a copy would be waited for in vain,
/// for minutes.
fn answers([authority, certificate, key]: [&Path; 3]) -> Result<(), BackupError> {
    let leaf = Leaf { certificate: fs::read_to_string(certificate)?, key: fs::read_to_string(key)? };
    let etcd = Etcd::new(etcd::CLIENT_URL, &fs::read_to_string(authority)?, &leaf);
    etcd.and_then(|etcd| etcd.leader()).map(drop).map_err(BackupError::Silent)
}

#[cfg(test)]
mod tests {
    use super::readers;
    use crate::pki::Keyring;

    #[test]
    fn a_change_of_keys_that_begins_or_ends_meanwhile_leaves_no_secret_unreadable() {
        let first = Keyring::generate().expect("randomness");
        let rings: Vec<_> = std::iter::successors(Some(first), |ring| ring.next().ok()).take(4).collect();
        let numbers = |before: usize, after: usize| {
            let kept = readers(rings.get(before).cloned(), rings.get(after).cloned()).expect("some");
            (kept.generation(), kept.numbers().collect::<Vec<_>>())
        };
        assert_eq!(numbers(0, 0), (1, vec![1]));
        assert_eq!(numbers(0, 2), (1, vec![1, 2]), "it began: the second encrypts already");
        assert_eq!(numbers(2, 3), (3, vec![2, 1]), "it ended: the first was in use still");
        assert_eq!(numbers(0, 3), (1, vec![1, 2]), "both");
        assert_eq!(numbers(9, 3), (4, vec![2]), "there were none before");
    }
}
