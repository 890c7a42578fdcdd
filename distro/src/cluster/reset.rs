//! What there is to do to make hosts bare again. Pure.

use skerry_formats::{
    cluster::{Cluster, Host},
    seed::HostName,
};

use super::{
    error::Refusal,
    seen::{Observed, Seen},
    step::{Act, Round, Step},
};

/// Why picked hosts cannot be made bare, each with its reason: sk8s removes what it has made, where it is gone one that is
/// uploaded does, and where there is none to upload all of it would stay.
#[must_use]
pub fn judge(cluster: &Cluster, observed: &Observed) -> Vec<(HostName, Refusal)> {
    let mut refused = Vec::new();
    for host in cluster.spec.hosts.iter().filter(|host| observed.picked.contains(&host.name)) {
        let Some(seen) = observed.hosts.get(&host.name).filter(|seen| has_lost_its_program(seen)) else { continue };
        match seen.arch() {
            None => refused.push((host.name.clone(), Refusal::Architecture(seen.architecture.clone()))),
            Some(arch) if !observed.programs.contains_key(&arch) => {
                refused.push((host.name.clone(), Refusal::Lost(arch)));
            }
            Some(_) => {}
        }
    }
    refused
}

/// Whether there is something to remove that needs a program, and the program is gone.
fn has_lost_its_program(seen: &Seen) -> bool {
    seen.binary.is_none() && (seen.data || seen.service.is_some())
}

/// The steps that leave nothing of sk8s on the picked hosts: workers first, then controllers, the last one before the
/// others. A cluster that lives on is told of those that go.
#[must_use]
pub fn plan(cluster: &Cluster, observed: &Observed) -> Vec<Step> {
    let heir = heir(cluster, observed);
    let mut steps = Vec::new();
    let (controllers, workers): (Vec<&Host>, Vec<&Host>) = cluster
        .spec
        .hosts
        .iter()
        .filter(|host| observed.picked.contains(&host.name))
        .partition(|host| host.role.controls());
    for (round, host) in workers
        .into_iter()
        .map(|host| (Round::Workers, host))
        .chain(controllers.into_iter().rev().map(|host| (Round::Controllers, host)))
    {
        let mut add = |act| steps.push(Step { round, host: host.name.clone(), act });
        if let Some(heir) = heir.filter(|_| observed.members.contains(host.name.as_str())) {
            add(Act::Leave(heir.name.clone()));
        }
        if let Some(seen) = observed.hosts.get(&host.name).filter(|seen| !seen.is_bare()) {
            let program = seen.arch().and_then(|arch| Some((arch, *observed.programs.get(&arch)?)));
            if let Some((arch, digest)) = program.filter(|_| has_lost_its_program(seen)) {
                add(Act::Upload(arch, digest));
                add(Act::Place(digest));
            }
            add(Act::Wipe);
        }
        if let Some(heir) = heir.filter(|_| observed.nodes.contains(host.name.as_str())) {
            add(Act::Forget(heir.name.clone()));
        }
    }
    steps
}

/// A controller that stays, and can be asked.
#[must_use]
pub fn heir<'a>(cluster: &'a Cluster, observed: &Observed) -> Option<&'a Host> {
    let stays = |host: &&Host| host.role.controls() && !observed.picked.contains(&host.name);
    let works =
        |host: &&Host| observed.hosts.get(&host.name).is_some_and(|seen| seen.runs() && seen.authority.is_some());
    cluster.spec.hosts.iter().filter(stays).find(works)
}
