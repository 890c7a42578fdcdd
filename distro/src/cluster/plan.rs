//! From what a cluster is to be and what it is to what there is to do. Pure.

use std::collections::BTreeSet;

use skerry_formats::{
    arch::Arch,
    cluster::{Cluster, Host},
    digest::Digest,
    seed::HostName,
};

use super::{
    render,
    seen::{ConfigFile, Observed, Seen},
    step::{Act, Round, Step},
};

/// The steps that make the picked hosts what the file says, in their order; none for those that are.
#[must_use]
pub fn plan(cluster: &Cluster, observed: &Observed) -> Vec<Step> {
    let leader = leader(cluster, observed);
    let mut steps: Vec<Step> = Vec::new();
    for host in in_order(cluster, leader) {
        let (Some(seen), true) = (observed.hosts.get(&host.name), observed.picked.contains(&host.name)) else {
            continue;
        };
        if leader.is_none() && seen.authority.is_none() {
            // It would join and has nobody to join at: started, it would make a cluster of its own.
            continue;
        }
        let program = seen.arch().and_then(|arch| Some((arch, *observed.programs.get(&arch)?)));
        let at = leader.filter(|leader| leader.name != host.name);
        steps.extend(Work { cluster, host, seen, steps: Vec::new() }.plan(program, at));
    }
    // Stable: within a round, hosts stay in their order.
    steps.sort_by_key(|step| step.round);
    steps
}

/// The controller that tokens are made on: the first that has a cluster. Where none has, the first there is makes one, but
/// only if all were looked at: one that was not may have it.
#[must_use]
pub fn leader<'a>(cluster: &'a Cluster, observed: &Observed) -> Option<&'a Host> {
    let controllers = || cluster.spec.hosts.iter().filter(|host| host.role.controls());
    let has_cluster = |host: &&Host| observed.hosts.get(&host.name).is_some_and(|seen| seen.authority.is_some());
    let picked = |host: &&Host| observed.picked.contains(&host.name);
    let first = || controllers().next().filter(picked).filter(|_| unseen(cluster, observed).is_empty());
    controllers().find(has_cluster).or_else(first)
}

/// The controllers that were not looked at.
#[must_use]
pub fn unseen(cluster: &Cluster, observed: &Observed) -> Vec<HostName> {
    let unseen = cluster.controllers().filter(|host| !observed.hosts.contains_key(&host.name));
    unseen.map(|host| host.name.clone()).collect()
}

/// The leader before the others, who stay in the file's order.
fn in_order<'a>(cluster: &'a Cluster, leader: Option<&'a Host>) -> impl Iterator<Item = &'a Host> {
    let others = cluster.spec.hosts.iter().filter(move |host| leader.is_none_or(|leader| leader.name != host.name));
    leader.into_iter().chain(others)
}

/// A host being planned for.
struct Work<'a> {
    cluster: &'a Cluster,
    host: &'a Host,
    seen: &'a Seen,
    steps: Vec<Step>,
}

impl Work<'_> {
    fn plan(mut self, program: Option<(Arch, Digest)>, leader: Option<&Host>) -> Vec<Step> {
        let seen = self.seen;
        let placed = match program {
            Some((arch, digest)) => self.program(arch, digest),
            None => Changed::No,
        };
        if seen.service.is_none() && seen.authority.is_none() {
            self.add(Round::Prepare, Act::Check);
        }
        let configured = self.configure();
        let joining = leader.filter(|_| seen.authority.is_none());
        match joining {
            Some(leader) => {
                self.serve(Act::Join(leader.name.clone()));
                self.serve(Act::Await);
                self.serve(Act::Settle);
            }
            None => self.run([placed, configured]),
        }
        self.steps
    }

    fn add(&mut self, round: Round, act: Act) {
        self.steps.push(Step { round, host: self.host.name.clone(), act });
    }

    /// Adds what touches a running node.
    fn serve(&mut self, act: Act) {
        let round = match (self.host.role.controls(), self.seen.runs()) {
            (true, _) => Round::Controllers,
            (false, false) => Round::Workers,
            (false, true) => Round::Upgrades,
        };
        self.add(round, act);
    }

    fn program(&mut self, arch: Arch, digest: Digest) -> Changed {
        if self.seen.binary == Some(digest) {
            return Changed::No;
        }
        if !self.seen.staged.contains(&digest) {
            self.add(Round::Prepare, Act::Upload(arch, digest));
        }
        if self.seen.runs() {
            self.serve(Act::Place(digest))
        } else {
            self.add(Round::Prepare, Act::Place(digest))
        }
        Changed::Yes
    }

    /// A file that somebody else wrote stays. One that we wrote is read even where it is not needed any more.
    fn configure(&mut self) -> Changed {
        let wanted = render::config_digest(self.cluster, self.host);
        match self.seen.config {
            Some(ConfigFile::Foreign(_)) => return Changed::No,
            Some(ConfigFile::Ours(found)) if found == wanted => return Changed::No,
            None if !render::is_configured(self.host) => return Changed::No,
            _ => self.serve(Act::Configure),
        }
        Changed::Yes
    }

    /// A node that need not join: its service as it should be, running what is in place, ready.
    fn run(&mut self, changed: [Changed; 2]) {
        let seen = self.seen;
        let wanted: BTreeSet<String> = render::words(self.host).into_iter().skip(1).collect();
        let found = seen.service.as_ref().map(|service| &service.words);
        let as_wanted = found.map(without_token).as_ref() == Some(&wanted);
        // Another version of a controller may want accounts that the one before it did not.
        let another = (changed[0] == Changed::Yes || seen.stale) && self.host.role.controls();
        if !as_wanted || another {
            self.serve(Act::Install);
        }
        if seen.token || (as_wanted && found != Some(&wanted)) {
            self.serve(Act::Settle);
        }
        let started_otherwise =
            self.configured().is_some_and(|file| seen.started.is_some_and(|started| started != file));
        // A service that was written and not started again says what is wanted, and its process what was.
        let runs_otherwise = seen.process.as_ref().is_some_and(|words| without_token(words) != wanted);
        let restart =
            changed.contains(&Changed::Yes) || !as_wanted || seen.stale || started_otherwise || runs_otherwise;
        if !seen.runs() {
            self.serve(Act::Start);
        } else if restart {
            self.serve(Act::Restart);
        }
        if !seen.runs() || restart || !seen.is_ready() {
            self.serve(Act::Await);
        }
    }

    /// The configuration that lies there.
    fn configured(&self) -> Option<Digest> {
        match self.seen.config? {
            ConfigFile::Ours(digest) | ConfigFile::Foreign(digest) => Some(digest),
        }
    }
}

/// The words of a service or a process, but for the one that it needed to join.
fn without_token(words: &BTreeSet<String>) -> BTreeSet<String> {
    let token = render::token_word();
    words.iter().filter(|word| **word != token).cloned().collect()
}

/// Whether something is to be changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}
