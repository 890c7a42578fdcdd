//! From a cluster's file, its keys and its tokens to a seed for each host. Pure.

use std::collections::BTreeMap;

use sk8s::{link, pki::Identity};
use skerry_formats::{
    cluster::{Cluster, Host},
    name::Name,
    seed::{Api, ClusterIdentity, HostName, Secret, Section, Seed},
    storage::StorageType,
    token::{JoinToken, PreShared, Server},
};

use super::{ClusterError, identity};

/// Whose cluster it is.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The cluster's name.
    pub name: &'a Name,
    /// Its keys.
    pub identity: &'a Identity,
    /// The token of each host that joins.
    pub tokens: &'a BTreeMap<HostName, PreShared>,
    /// The one controller that may make the cluster.
    pub founder: Option<&'a HostName>,
}

/// The seed of each host. The founder's holds the cluster's keys and all tokens; every other host's holds its own token and no
/// key. With several controllers the founder has a token too: by it, it asks the others whether there is a cluster already.
///
/// # Errors
/// If the keys are no PEM.
pub fn seeds(cluster: &Cluster, owner: &Owner<'_>) -> Result<Vec<(HostName, Seed)>, ClusterError> {
    let mut all = Vec::new();
    for host in &cluster.spec.hosts {
        let named = ClusterIdentity { name: Some(owner.name.clone()), ..ClusterIdentity::default() };
        let config = cluster.extra(host);
        let section = Section { token: token(cluster, owner, host)?, cluster: named, config, ..section_of(host) };
        let section = if host.role.controls() { controller(cluster, host, section) } else { section };
        let section = if owner.founder == Some(&host.name) { founder(owner, host, section)? } else { section };
        all.push((host.name.clone(), Seed { hostname: Some(host.name.clone()), skerry: section, ..Seed::default() }));
    }
    Ok(all)
}

/// What a host joins with: a worker asks all controllers, a controller all others, the founder first.
fn token(cluster: &Cluster, owner: &Owner<'_>, host: &Host) -> Result<Option<Secret>, ClusterError> {
    let Some(PreShared { role, id, secret, .. }) = owner.tokens.get(&host.name).cloned() else { return Ok(None) };
    let mut others: Vec<&Host> = cluster.controllers().filter(|other| other.name != host.name).collect();
    if host.role.controls() {
        others.sort_by_key(|other| owner.founder != Some(&other.name));
    }
    let servers: Vec<Server> = others.into_iter().flat_map(Host::servers).collect();
    let authority = link::print_of(&owner.identity.ca.certificate)?;
    Ok(Some(JoinToken { role, id, secret, authority, servers }.to_string().into()))
}

/// What a host has, whatever it does.
fn section_of(host: &Host) -> Section {
    Section {
        role: Some(host.role.role()),
        workloads: host.workloads(),
        network: host.network.clone(),
        node_address: host.node_address.clone(),
        labels: host.labels.clone(),
        taints: host.taints.clone(),
        ..Section::default()
    }
}

/// What all controllers are told alike, but for where each is called.
fn controller(cluster: &Cluster, host: &Host, section: Section) -> Section {
    let spec = &cluster.spec;
    Section {
        storage: Some(spec.storage.kind).filter(|kind| *kind == StorageType::Etcd),
        api: Api { address: host.address(), sans: cluster.sans() },
        pod_cidr: spec.network.pods.clone(),
        service_cidr: spec.network.services.clone(),
        cluster_domain: spec.network.domain.clone(),
        // Said also where it is off: a controller that joined while it was on would keep to that.
        metrics_server: Some(spec.metrics_server.enabled),
        ..section
    }
}

fn founder(owner: &Owner<'_>, host: &Host, section: Section) -> Result<Section, ClusterError> {
    let tokens = if host.role.admits() { owner.tokens.values().cloned().collect() } else { Vec::new() };
    Ok(Section { cluster: identity::keys(owner.identity, owner.name)?, tokens, ..section })
}
