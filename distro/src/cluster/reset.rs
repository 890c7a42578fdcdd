//! What there is to do to make hosts bare again. Pure.

use skerry_formats::cluster::{Cluster, Host};

use super::{
    seen::Observed,
    step::{Act, Round, Step},
};

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
            if let (None, true, Some((arch, digest))) = (seen.binary, seen.data || seen.service.is_some(), program) {
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
