//! Which tokens a cluster's hosts have, given those they had: made once a host, and again when one has ended. Pure but for
//! the randomness it is given.

use std::collections::BTreeMap;

use sk8s::pki::UnixTime;
use skerry_formats::{
    cluster::Cluster,
    moment::Moment,
    role::Role,
    seed::HostName,
    token::{PreShared, Validity},
};

/// What becomes of a host's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The host is new.
    New,
    /// The token had ended, and there is another.
    Renewed,
    /// The host is no longer in the file, or joins no longer as what it was.
    Gone,
}

/// The tokens of a cluster's hosts, and how they came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The token of each host that joins.
    pub tokens: BTreeMap<HostName, PreShared>,
    /// Hosts whose token is not as it was, with the token: the new one, or the one that is gone.
    pub changes: Vec<(HostName, Change, PreShared)>,
}

/// Plans the tokens of the hosts that join: workers, and controllers where there are several. `make` gives a new one that
/// ends when it is told to.
///
/// # Errors
/// If `make` fails.
pub fn plan<E>(
    cluster: &Cluster,
    before: &BTreeMap<HostName, PreShared>,
    now: UnixTime,
    mut make: impl FnMut(Role, Option<Moment>) -> Result<PreShared, E>,
) -> Result<Plan, E> {
    let Validity(span) = cluster.spec.tokens.expiry;
    let ends = span.map(|span| Moment(now.plus(span).0));
    let mut plan = Plan { tokens: BTreeMap::new(), changes: Vec::new() };
    let several = cluster.controllers().count() > 1;
    for host in cluster.spec.hosts.iter().filter(|host| several || !host.role.controls()) {
        let role = host.role.role();
        let had = before.get(&host.name).filter(|token| token.role == role);
        let good = had.filter(|token| token.expires.is_none_or(|expires| expires.0 > now.0));
        let token = match good {
            Some(token) => token.clone(),
            None => {
                let token = PreShared { description: host.name.to_string(), ..make(role, ends)? };
                let change = if had.is_some() { Change::Renewed } else { Change::New };
                plan.changes.push((host.name.clone(), change, token.clone()));
                token
            }
        };
        plan.tokens.insert(host.name.clone(), token);
    }
    let other = |name, token: &PreShared| plan.tokens.get(name).is_none_or(|now| now.role != token.role);
    let gone: Vec<_> = before.iter().filter(|(name, token)| other(*name, token)).collect();
    for (name, token) in gone {
        plan.changes.push((name.clone(), Change::Gone, token.clone()));
    }
    Ok(plan)
}
