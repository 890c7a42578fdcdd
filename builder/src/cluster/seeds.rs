//! From a cluster's file, its keys and its tokens to a seed for each host. Pure.

use std::collections::BTreeMap;

use sk8s::{link, pki::Identity};
use skerry_formats::{
    cluster::{Cluster, Host},
    name::Name,
    seed::{Api, ClusterIdentity, HostName, San, Section, Seed},
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
}

/// The seed of each host. A controller's holds the cluster's keys and all tokens; a worker's holds its own token and no key.
///
/// # Errors
/// If the keys are no PEM.
pub fn seeds(cluster: &Cluster, owner: &Owner<'_>) -> Result<Vec<(HostName, Seed)>, ClusterError> {
    let servers: Vec<Server> = cluster.servers();
    let authority = link::print_of(&owner.identity.ca.certificate)?;
    let join = |host: &Host| {
        let PreShared { role, id, secret, .. } = owner.tokens.get(&host.name)?.clone();
        Some(JoinToken { role, id, secret, authority, servers: servers.clone() }.to_string().into())
    };
    let mut all = Vec::new();
    for host in &cluster.spec.hosts {
        let section = if host.role.controls() {
            controller(cluster, owner, host)?
        } else {
            let named = ClusterIdentity { name: Some(owner.name.clone()), ..ClusterIdentity::default() };
            Section { token: join(host), cluster: named, ..section_of(host) }
        };
        all.push((host.name.clone(), Seed { hostname: Some(host.name.clone()), skerry: section, ..Seed::default() }));
    }
    Ok(all)
}

/// What a host has, whatever it does.
fn section_of(host: &Host) -> Section {
    Section {
        role: Some(host.role.role()),
        workloads: host.workloads(),
        network: host.network.clone(),
        labels: host.labels.clone(),
        taints: host.taints.clone(),
        ..Section::default()
    }
}

fn controller(cluster: &Cluster, owner: &Owner<'_>, host: &Host) -> Result<Section, ClusterError> {
    let spec = &cluster.spec;
    Ok(Section {
        cluster: identity::keys(owner.identity, owner.name)?,
        tokens: if host.role.admits() { owner.tokens.values().cloned().collect() } else { Vec::new() },
        api: Api { address: host.address(), sans: sans(cluster)? },
        pod_cidr: spec.network.pods.clone(),
        service_cidr: spec.network.services.clone(),
        cluster_domain: spec.network.domain.clone(),
        ..section_of(host)
    })
}

fn sans(cluster: &Cluster) -> Result<Vec<San>, ClusterError> {
    let mut sans = cluster.spec.api.sans.clone();
    for server in cluster.servers() {
        let san: San = server.host_and_port().0.to_ascii_lowercase().parse()?;
        if !sans.contains(&san) {
            sans.push(san);
        }
    }
    Ok(sans)
}
