//! All hosts that were reached, worked on beside each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use skerry_formats::{
    cluster::{Cluster, Host},
    seed::HostName,
};

use super::{
    Account, ClusterError, HostError, Way,
    connection::{Connection, Sockets},
    script,
    seen::Seen,
};
use crate::parallel::each;

/// How many hosts are worked on at once.
pub(super) const AT_ONCE: usize = 8;

/// Hosts that were reached, and what is on them.
#[derive(Debug, Default)]
pub struct Fleet {
    /// The connections.
    pub hosts: BTreeMap<HostName, Reached>,
}

/// A host that was reached.
#[derive(Debug)]
pub struct Reached {
    /// The way there.
    pub connection: Connection,
    /// What was there when it was reached.
    pub seen: Seen,
}

/// What is done about a host that is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It is told of as a failure.
    Must,
    /// It is told of.
    May,
}

/// A host that was not reached.
pub type Unreached = (HostName, Need, HostError);

impl Fleet {
    /// Logs in to hosts and looks at them.
    ///
    /// # Errors
    /// If the file does not say how to reach one of them. Hosts that are not reached are the second value.
    pub fn reach(cluster: &Cluster, wanted: &BTreeMap<HostName, Need>) -> Result<(Self, Vec<Unreached>), ClusterError> {
        let hosts: Vec<&Host> = cluster.spec.hosts.iter().filter(|host| wanted.contains_key(&host.name)).collect();
        let lost = |host: &&Host| Way::of(host).is_none() && wanted.get(&host.name) == Some(&Need::Must);
        let without: Vec<HostName> = hosts.iter().copied().filter(lost).map(|host| host.name.clone()).collect();
        if !without.is_empty() {
            return Err(ClusterError::NoWay(without));
        }
        let sockets = Arc::new(Sockets::new()?);
        let ways: Vec<(&HostName, Way)> = hosts.iter().filter_map(|host| Some((&host.name, Way::of(host)?))).collect();
        let answers = each(AT_ONCE, &ways, |(name, way)| reach(name, way, &sockets));
        let (mut fleet, mut unreached) = (Self::default(), Vec::new());
        for ((name, _), answer) in ways.into_iter().zip(answers) {
            match answer {
                Ok(reached) => drop(fleet.hosts.insert(name.clone(), reached)),
                Err(error) => unreached.push((name.clone(), wanted.get(name).copied().unwrap_or(Need::May), error)),
            }
        }
        Ok((fleet, unreached))
    }

    /// A host that was reached.
    ///
    /// # Errors
    /// If it was not.
    pub fn connection(&self, host: &HostName) -> Result<&Connection, HostError> {
        self.hosts.get(host).map(|reached| &reached.connection).ok_or_else(|| HostError::Absent(host.clone()))
    }

    /// What was seen of each.
    #[must_use]
    pub fn seen(&self) -> BTreeMap<HostName, Seen> {
        self.hosts.iter().map(|(name, reached)| (name.clone(), reached.seen.clone())).collect()
    }
}

fn reach(name: &HostName, way: &Way, sockets: &Arc<Sockets>) -> Result<Reached, HostError> {
    let connection = Connection::open(name, way.clone(), Arc::clone(sockets))?;
    let seen = Seen::read(&connection.run("look at the host", &script::observe())?);
    Ok(Reached { connection, seen })
}

/// Tells of hosts that were not reached; those that must have been.
pub fn missing(account: &Account, unreached: &[Unreached]) -> BTreeSet<HostName> {
    for (host, _, error) in unreached {
        tell(account, host, error);
    }
    unreached.iter().filter(|(_, need, _)| *need == Need::Must).map(|(host, ..)| host.clone()).collect()
}

/// Tells what went wrong on a host, and the next thing to do.
pub fn tell(account: &Account, host: &HostName, error: &HostError) {
    account.say(host, &format!("failed: {}", crate::supervisor::chain(error)));
    if let Some(hint) = error.hint() {
        account.say(host, &format!("hint: {hint}"));
    }
}
