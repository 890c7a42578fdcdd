//! A cluster's folder: what is kept there, and how it follows the file of hosts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sk8s::{
    join::TokenRecord,
    pki::{Identity, UnixTime},
};
use skerry_formats::{
    cluster::{Cluster, Host},
    duty::Duty,
    moment::Moment,
    name::Name,
    seed::{HostName, Source},
    storage::StorageType,
    token::{PreShared, Server},
};

use super::{
    ClusterError,
    departures::Departures,
    identity::{self, SEED},
    plan::{Change, Plan, plan},
    seeds::{Owner, seeds},
};
use crate::{clock, fsx};

/// A cluster's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
    name: Name,
}

/// What was made of a file of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The seed of each host.
    pub seeds: Vec<SeedFile>,
    /// The tokens of all hosts that join.
    pub tokens: Vec<PreShared>,
    /// Tokens that are new or gone.
    pub changes: Vec<(HostName, Change, PreShared)>,
    /// Hosts that are no longer in the file or control no more, and what each did.
    pub left: Vec<(HostName, Duty)>,
    /// What the running cluster has not been told, now and in earlier times.
    pub departures: Departures,
}

/// A host's seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedFile {
    /// The host.
    pub host: HostName,
    /// Its board, where the file says.
    pub board: Option<Name>,
    /// The file.
    pub path: PathBuf,
    /// Whether it is another than before.
    pub written: bool,
}

impl Folder {
    /// The folder of a cluster, which may not be there.
    #[must_use]
    pub fn new(path: PathBuf, name: Name) -> Self {
        Self { path, name }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster's name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The cluster's keys.
    ///
    /// # Errors
    /// If there are none, or they cannot be read.
    pub fn identity(&self) -> Result<Identity, ClusterError> {
        identity::kept(&self.path.join("pki"))?.ok_or_else(|| ClusterError::Missing(self.path.display().to_string()))
    }

    /// The cluster's hosts as they were last applied; `None` where none were ever named.
    ///
    /// # Errors
    /// If the file is unreadable or wrong.
    pub fn cluster(&self) -> Result<Option<Cluster>, ClusterError> {
        let path = self.path.join("cluster.yaml");
        if fsx::symlink_metadata(&path)?.is_none() {
            return Ok(None);
        }
        read(&path, &self.name).map(Some)
    }

    /// Makes a cluster of the hosts of a file.
    ///
    /// # Errors
    /// If there is a cluster already, or something cannot be written.
    pub fn create(&self, cluster: &Cluster) -> Result<Applied, ClusterError> {
        let pki = self.path.join("pki");
        if fsx::symlink_metadata(&pki)?.is_some() {
            return Err(ClusterError::Exists(self.path.display().to_string()));
        }
        identity::keep(&pki, Identity::generate(&self.name, now())?)?;
        let url = cluster.servers().first().map(Server::url).unwrap_or_default();
        let kubeconfig = self.identity()?.admin_kubeconfig(&url, &self.name, now())?;
        identity::write_secret(&self.path.join("admin.kubeconfig"), &kubeconfig)?;
        self.apply(cluster)
    }

    /// Makes the seeds follow a file of hosts. The cluster's keys stay; a host keeps its token for as long as that is good.
    ///
    /// # Errors
    /// If there is no cluster, its objects would have to move, or something cannot be written.
    pub fn apply(&self, cluster: &Cluster) -> Result<Applied, ClusterError> {
        let identity = self.identity()?;
        let before = self.cluster()?;
        let wanted = cluster.spec.storage.kind;
        if let Some(kept) = self.storage(before.as_ref())?.filter(|kept| *kept != wanted) {
            return Err(ClusterError::Storage { kept, wanted });
        }
        let (file, folder) = (self.path.join("tokens.json"), self.path.join("seeds"));
        let make = |role, expires: Option<Moment>| {
            TokenRecord::generate(role, expires.map(|moment| UnixTime(moment.0))).map(PreShared::from)
        };
        let plan = plan(cluster, &tokens(&file)?, now(), make)?;
        let left = left(before.as_ref(), cluster);
        let departures = self.note((&plan, &left), cluster)?;
        let damaged = |source| ClusterError::Tokens { path: file.display().to_string(), source };
        // Tokens first: a seed whose token nobody remembers would be lost with the next one.
        identity::write_secret(&file, &serde_json::to_string_pretty(&plan.tokens).map_err(damaged)?)?;
        fsx::create_dir_all(&folder)?;
        fsx::set_mode(&folder, 0o700)?;
        let founder = self.founder(cluster)?;
        let owner = Owner { name: &self.name, identity: &identity, tokens: &plan.tokens, founder: founder.as_ref() };
        let mut written = Vec::new();
        for ((host, seed), known) in seeds(cluster, &owner)?.into_iter().zip(&cluster.spec.hosts) {
            let path = folder.join(format!("{host}.yaml"));
            let fresh = replace(&path, &seed.to_cloud_config()?)?;
            written.push(SeedFile { host, board: known.board.clone(), path, written: fresh });
        }
        for (host, _) in left.iter().filter(|(name, _)| !cluster.spec.hosts.iter().any(|host| host.name == *name)) {
            fsx::remove_file(&folder.join(format!("{host}.yaml")))?;
        }
        identity::write_secret(&self.path.join("cluster.yaml"), &cluster.to_yaml()?)?;
        let tokens = plan.tokens.into_values().collect();
        Ok(Applied { seeds: written, tokens, changes: plan.changes, left, departures })
    }

    /// Writes down who is gone before anything else forgets them: the cluster may not be there to be told.
    fn note(&self, (plan, left): (&Plan, &[(HostName, Duty)]), cluster: &Cluster) -> Result<Departures, ClusterError> {
        let mut departures = self.departures()?;
        let gone = plan.changes.iter().filter(|(_, change, _)| *change == Change::Gone);
        departures.add(gone.map(|(host, _, token)| (host.clone(), token.clone())), left);
        departures.forget(cluster, &plan.tokens, now());
        self.keep_departures(&departures)?;
        Ok(departures)
    }

    /// What keeps the cluster's objects; `None` before there was a node. A single node of no file has the default.
    fn storage(&self, before: Option<&Cluster>) -> Result<Option<StorageType>, ClusterError> {
        let single = fsx::symlink_metadata(&self.path.join(SEED))?.map(|_| StorageType::default());
        Ok(before.map(|before| before.spec.storage.kind).or(single))
    }

    /// The one controller that may make the cluster: the file's first, and from then on the same for as long as it is in the
    /// file. Were it another one after each change of order, two old seeds could make a cluster each.
    fn founder(&self, cluster: &Cluster) -> Result<Option<HostName>, ClusterError> {
        let path = self.path.join("founder");
        let controls = |name: &HostName| cluster.controllers().any(|host| host.name == *name);
        let kept = match fsx::symlink_metadata(&path)? {
            Some(_) => fsx::read_to_string(&path)?.trim().parse().ok().filter(controls),
            None => None,
        };
        let founder = kept.or_else(|| cluster.controllers().next().map(|host| host.name.clone()));
        if let Some(name) = &founder {
            identity::write_secret(&path, &format!("{name}\n"))?;
        }
        Ok(founder)
    }

    /// Where the cluster's API is called: at its controllers, or where its kubeconfig says.
    ///
    /// # Errors
    /// If neither is known.
    pub fn urls(&self) -> Result<Vec<String>, ClusterError> {
        if let Some(cluster) = self.cluster()? {
            return Ok(cluster.servers().iter().map(Server::url).collect());
        }
        let path = self.path.join("admin.kubeconfig");
        let text = fsx::read_to_string(&path)?;
        let config: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text)?;
        let server = config["clusters"][0]["cluster"]["server"].as_str();
        server.map(|url| vec![url.to_owned()]).ok_or_else(|| ClusterError::NoServer(path.display().to_string()))
    }
}

/// Reads a file of hosts for a cluster of a name.
///
/// # Errors
/// If it is unreadable or wrong, or says another name.
pub fn read(path: &Path, name: &Name) -> Result<Cluster, ClusterError> {
    let source = Source::new(path.display().to_string());
    let cluster = sk8s::cluster::read(&source, &fsx::read(path)?).map_err(ClusterError::Hosts)?;
    match &cluster.metadata.name {
        Some(found) if found != name => Err(ClusterError::OtherName { found: found.clone(), wanted: name.clone() }),
        _ => Ok(cluster),
    }
}

/// Hosts that were in the file and are no more, or control no more, and what each did.
fn left(before: Option<&Cluster>, cluster: &Cluster) -> Vec<(HostName, Duty)> {
    let now = |host: &Host| cluster.spec.hosts.iter().find(|now| now.name == host.name);
    let has_left = |host: &&Host| now(host).is_none_or(|now| host.role.controls() && !now.role.controls());
    let hosts = before.iter().flat_map(|before| &before.spec.hosts);
    hosts.filter(has_left).map(|host| (host.name.clone(), host.role)).collect()
}

fn now() -> UnixTime {
    UnixTime(clock::unix_now())
}

fn tokens(path: &Path) -> Result<BTreeMap<HostName, PreShared>, ClusterError> {
    if fsx::symlink_metadata(path)?.is_none() {
        return Ok(BTreeMap::new());
    }
    let damaged = |source| ClusterError::Tokens { path: path.display().to_string(), source };
    serde_json::from_str(&fsx::read_to_string(path)?).map_err(damaged)
}

/// Writes a seed that is not as it should be; whether it was another.
fn replace(path: &Path, text: &str) -> Result<bool, ClusterError> {
    let there = fsx::symlink_metadata(path)?.is_some();
    if there && fsx::read_to_string(path)? == text {
        return Ok(false);
    }
    identity::write_secret(path, text)?;
    Ok(true)
}
