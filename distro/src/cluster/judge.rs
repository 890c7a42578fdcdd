//! Whether hosts can be what the file says. Pure.

use skerry_formats::{
    cluster::{Cluster, Host},
    seed::HostName,
};

use super::{
    error::Refusal,
    plan::{leader, unseen},
    render,
    seen::{ConfigFile, Observed, Seen},
};
use crate::version::Release;

/// Why picked hosts cannot be, each with its reason.
#[must_use]
pub fn judge(cluster: &Cluster, observed: &Observed) -> Vec<(HostName, Refusal)> {
    let leader = leader(cluster, observed);
    let authority = leader.and_then(|leader| observed.hosts.get(&leader.name)?.authority);
    let mut refused = Vec::new();
    for host in &cluster.spec.hosts {
        let Some(seen) = observed.hosts.get(&host.name).filter(|_| observed.picked.contains(&host.name)) else {
            continue;
        };
        let belongs = match (seen.authority, leader) {
            (Some(own), Some(_)) if Some(own) != authority => Some(Refusal::OtherCluster),
            (None, None) => Some(nobody(unseen(cluster, observed))),
            // Without a leader, its cluster cannot be compared with any.
            _ => None,
        };
        let other = belongs
            .or_else(|| name(host, seen))
            .or_else(|| storage(cluster, host, seen))
            .or_else(|| ahead(host, seen, (cluster, observed)));
        refused.extend(alone(host, seen, observed).or(other).map(|refusal| (host.name.clone(), refusal)));
    }
    refused
}

/// Why a host does not join where no controller that was looked at has a cluster.
fn nobody(unseen: Vec<HostName>) -> Refusal {
    if unseen.is_empty() { Refusal::NoController } else { Refusal::Unseen(unseen) }
}

/// Why a host cannot have its name: a member of a cluster keeps its own, as its certificates and its node have it. Where the
/// addresses of two hosts are swapped in the file, each would be told to be the other.
fn name(host: &Host, seen: &Seen) -> Option<Refusal> {
    let found = seen.node().filter(|found| seen.authority.is_some() && *found != host.name.as_str())?;
    Some(Refusal::OtherName(found.to_owned()))
}

/// Why a controller cannot keep its objects in what the file says: they are in something else. A configuration that is its
/// owner's says for itself.
fn storage(cluster: &Cluster, host: &Host, seen: &Seen) -> Option<Refusal> {
    let wanted = cluster.spec.storage.kind;
    let is_told = host.role.controls() && !matches!(seen.config, Some(ConfigFile::Foreign(_)));
    let kept = seen.stores.first().filter(|_| is_told && !seen.stores.contains(&wanted))?;
    Some(Refusal::Storage { kept: *kept, wanted })
}

/// Why a worker does not get the program that there is for it: Kubernetes has none be newer than its controllers.
fn ahead(host: &Host, seen: &Seen, (cluster, observed): (&Cluster, &Observed)) -> Option<Refusal> {
    let arch = seen.arch()?;
    let is_there = seen.binary == observed.programs.get(&arch).copied() && !seen.stale;
    if host.role.controls() || is_there {
        return None;
    }
    let release = observed.releases.get(&arch).copied();
    let nobody_looked = unseen(cluster, observed).len() == cluster.controllers().count();
    let is_behind = |host: &&Host| match observed.hosts.get(&host.name) {
        Some(seen) => {
            !observed.picked.contains(&host.name) && seen.authority.is_some() && behind(seen, release, observed)
        }
        None => nobody_looked,
    };
    let late: Vec<HostName> = cluster.controllers().filter(is_behind).map(|host| host.name.clone()).collect();
    (!late.is_empty()).then_some(Refusal::Ahead(late))
}

/// Whether a controller may run something older than a release. Where either does not say what it is, only the same program is
/// not older.
fn behind(controller: &Seen, release: Option<Release>, observed: &Observed) -> bool {
    let runs: Option<Release> = controller.status.as_ref().and_then(|status| status.version.parse().ok());
    match (runs, release) {
        (Some(runs), Some(release)) => runs < release,
        _ => {
            let program = controller.arch().and_then(|arch| observed.programs.get(&arch));
            program.is_none_or(|program| controller.binary != Some(*program)) || controller.stale
        }
    }
}

/// Why a host cannot be, whatever the others are.
fn alone(host: &Host, seen: &Seen, observed: &Observed) -> Option<Refusal> {
    if seen.image {
        return Some(Refusal::Image);
    }
    let Some(arch) = seen.arch() else { return Some(Refusal::Architecture(seen.architecture.clone())) };
    if seen.init.is_none() {
        return Some(Refusal::NoInit);
    }
    if let Some(service) = seen.service.as_ref().filter(|service| service.role != render::role(host)) {
        return Some(Refusal::OtherRole(service.role));
    }
    (!observed.programs.contains_key(&arch)).then_some(Refusal::NoProgram(arch))
}
