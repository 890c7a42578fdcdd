//! Which of several controllers applies its folder: a Lease of `kube-system`, held as long as it is renewed.
//!
//! Nobody trusts another's clock: a lease has lapsed when it has not changed for its whole length as watched from here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::{ApiError, Client},
    config::NodeName,
    pki::UnixTime,
    sys::clock::{self, Stopwatch},
};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const NAME: &str = "sk8s-leader";
/// How long a lease is good after its last renewal.
pub const LENGTH: Duration = Duration::from_secs(30);

/// One controller's view of the lease.
#[derive(Debug)]
pub struct Lead {
    node: NodeName,
    seen: Option<(String, Stopwatch)>,
}

/// What is to be done about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Make,
    Take,
    Wait,
}

impl Lead {
    /// A controller that has not looked yet.
    #[must_use]
    pub const fn new(node: NodeName) -> Self {
        Self { node, seen: None }
    }

    /// Who it is.
    #[must_use]
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// Renews the lease if it is this controller's, takes it if it has lapsed; whether this controller leads.
    ///
    /// # Errors
    /// If the API cannot be reached or refuses. Losing a race is no error.
    pub fn leads(&mut self, client: &Client) -> Result<bool, ApiError> {
        let path = format!("{LEASES}/{NAME}");
        let there = client.get(&path)?;
        let version =
            there.as_ref().and_then(|lease| lease["metadata"]["resourceVersion"].as_str()).unwrap_or_default();
        if self.seen.as_ref().is_none_or(|(seen, _)| seen != version) {
            self.seen = Some((version.to_owned(), Stopwatch::start()));
        }
        let unchanged = self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        let written = match turn(there.as_ref(), self.node.as_str(), unchanged) {
            Turn::Wait => return Ok(false),
            Turn::Make => client.create(LEASES, &lease(&self.node, clock::now(), None)),
            Turn::Take => client.replace(&path, &lease(&self.node, clock::now(), Some(version))),
        };
        match written {
            Ok(()) => Ok(true),
            Err(ApiError::Refused { status: 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn turn(lease: Option<&Value>, node: &str, unchanged: Duration) -> Turn {
    let Some(lease) = lease else { return Turn::Make };
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
    if holder.is_empty() || holder == node || unchanged >= LENGTH { Turn::Take } else { Turn::Wait }
}

fn lease(node: &NodeName, now: UnixTime, version: Option<&str>) -> Value {
    let renewed = format!("{}.000000Z", now.rfc3339().trim_end_matches('Z'));
    let mut lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": NAME, "namespace": "kube-system" },
        "spec": { "holderIdentity": node.as_str(), "leaseDurationSeconds": LENGTH.as_secs(), "renewTime": renewed },
    });
    if let Some(version) = version {
        lease["metadata"]["resourceVersion"] = json!(version);
    }
    lease
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{LENGTH, Turn, lease, turn};
    use crate::pki::UnixTime;

    #[test]
    fn a_lease_is_kept_by_its_holder_and_taken_only_when_it_lapsed() {
        let held = lease(&"barn".parse().expect("a name"), UnixTime(1_800_000_000), None);
        assert_eq!(held["spec"]["renewTime"], "2027-01-15T08:00:00.000000Z");
        let little = Duration::from_secs(1);
        assert_eq!(turn(None, "barn", LENGTH), Turn::Make);
        assert_eq!(turn(Some(&held), "barn", little), Turn::Take);
        assert_eq!(turn(Some(&held), "mill", little), Turn::Wait);
        assert_eq!(turn(Some(&held), "mill", LENGTH), Turn::Take);
        assert_eq!(turn(Some(&json!({"spec": {}})), "mill", little), Turn::Take, "given up");
    }
}
