//! From what a cluster is to be and what it is to what there is to do. Pure.

use std::collections::BTreeSet;

use skerry_formats::{
    arch::Arch,
    cluster::{Cluster, Host},
    digest::Digest,
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
        let program = seen.arch().and_then(|arch| Some((arch, *observed.programs.get(&arch)?)));
        let at = leader.filter(|leader| leader.name != host.name);
        steps.extend(Work { cluster, host, seen, steps: Vec::new() }.plan(program, at));
    }
    // Stable: within a round, hosts stay in their order.
    steps.sort_by_key(|step| step.round);
    steps
}

/// The controller that tokens are made on: the first that has a cluster, or else the first there is.
#[must_use]
pub fn leader<'a>(cluster: &'a Cluster, observed: &Observed) -> Option<&'a Host> {
    let controllers = || cluster.spec.hosts.iter().filter(|host| host.role.controls());
    let has_cluster = |host: &&Host| observed.hosts.get(&host.name).is_some_and(|seen| seen.authority.is_some());
    let picked = |host: &&Host| observed.picked.contains(&host.name);
    controllers().find(has_cluster).or_else(|| controllers().next().filter(picked))
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

    /// A file that somebody else wrote stays.
    fn configure(&mut self) -> Changed {
        let Some(wanted) = render::config_digest(self.cluster, self.host) else { return Changed::No };
        match self.seen.config {
            Some(ConfigFile::Foreign(_)) => return Changed::No,
            Some(ConfigFile::Ours(found)) if found == wanted => return Changed::No,
            _ => self.serve(Act::Configure),
        }
        Changed::Yes
    }

    /// A node that need not join: its service as it should be, running what is in place, ready.
    fn run(&mut self, changed: [Changed; 2]) {
        let seen = self.seen;
        let wanted: BTreeSet<String> = render::words(self.host).into_iter().skip(1).collect();
        let found = seen.service.as_ref().map(|service| &service.words);
        let token = render::token_word();
        let without_token: Option<BTreeSet<String>> =
            found.map(|words| words.iter().filter(|word| **word != token).cloned().collect());
        let as_wanted = without_token.as_ref() == Some(&wanted);
        // Another version of a controller may want accounts that the one before it did not.
        if !as_wanted || (changed[0] == Changed::Yes && self.host.role.controls()) {
            self.serve(Act::Install);
        }
        if seen.token || (as_wanted && found != Some(&wanted)) {
            self.serve(Act::Settle);
        }
        let started_otherwise =
            self.configured().is_some_and(|file| seen.started.is_some_and(|started| started != file));
        let restart = changed.contains(&Changed::Yes) || !as_wanted || seen.stale || started_otherwise;
        if !seen.runs() {
            self.serve(Act::Start);
        } else if restart {
            self.serve(Act::Restart);
        }
        if !seen.runs() || restart || !seen.is_ready() {
            self.serve(Act::Await);
        }
    }

    /// The configuration that lies there, for a host that reads it.
    fn configured(&self) -> Option<Digest> {
        match self.seen.config? {
            ConfigFile::Ours(digest) | ConfigFile::Foreign(digest) => {
                Some(digest).filter(|_| self.host.role.controls())
            }
        }
    }
}

/// Whether something is to be changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}
