//! Which of several controllers applies its folder: a Lease of `kube-system`, held as long as it is renewed.
//!
//! Nobody trusts another's clock: a lease has lapsed when it has not changed for its whole length as watched from here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::{ApiError, Client, Creation},
    config::NodeName,
    pki::UnixTime,
    sys::clock::{self, Stopwatch},
};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const NAME: &str = "sk8s-leader";
/// How long a lease is good after its last renewal.
const LENGTH: Duration = Duration::from_secs(30);
/// How long its holder goes by it. What it began is to have ended before another may begin: a request takes at most ten seconds.
const TRUSTED: Duration = Duration::from_secs(20);

/// Whose the lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This controller's, renewed right now.
    Ours,
    /// Another's.
    Anothers,
    /// That could not be said.
    Unknown,
}

/// For how long a controller may go by its lease. Times are those of a clock of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tenure(Option<Duration>);

impl Tenure {
    /// Takes in what was answered to a question that was asked then: the lease is good from there on, not from the answer.
    pub fn heard(&mut self, answer: Answer, asked: Duration) {
        match answer {
            Answer::Ours => self.0 = Some(asked + TRUSTED),
            Answer::Anothers => self.0 = None,
            Answer::Unknown => {}
        }
    }

    /// How long it still leads if it hears nothing more; zero if it does not lead.
    #[must_use]
    pub fn left(&self, now: Duration) -> Duration {
        self.0.map_or(Duration::ZERO, |end| end.saturating_sub(now))
    }
}

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

    /// Renews the lease if it is this controller's, takes it if it has lapsed; whose it is then.
    pub fn ask(&mut self, client: &Client) -> Answer {
        self.renew(client).unwrap_or_else(|error| {
            tracing::debug!(%error, "who leads is not known");
            Answer::Unknown
        })
    }

    fn renew(&mut self, client: &Client) -> Result<Answer, ApiError> {
        let path = format!("{LEASES}/{NAME}");
        let there = client.get(&path)?;
        let version =
            there.as_ref().and_then(|lease| lease["metadata"]["resourceVersion"].as_str()).unwrap_or_default();
        if self.seen.as_ref().is_none_or(|(seen, _)| seen != version) {
            self.seen = Some((version.to_owned(), Stopwatch::start()));
        }
        let unchanged = self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        let written = match turn(there.as_ref(), self.node.as_str(), unchanged) {
            Turn::Wait => return Ok(Answer::Anothers),
            Turn::Make => client.create(LEASES, &lease(&self.node, clock::now(), None))? == Creation::Made,
            Turn::Take => client.replace(&path, &lease(&self.node, clock::now(), Some(version)))?,
        };
        // Where something else was faster, the next look tells what.
        Ok(if written { Answer::Ours } else { Answer::Unknown })
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

    use super::{Answer, LENGTH, TRUSTED, Tenure, Turn, lease, turn};
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

    #[test]
    fn who_hears_nothing_stops_long_before_another_may_begin() {
        let (mut tenure, second) = (Tenure::default(), Duration::from_secs(1));
        assert_eq!(tenure.left(Duration::ZERO), Duration::ZERO);
        tenure.heard(Answer::Unknown, second);
        assert_eq!(tenure.left(second), Duration::ZERO, "what is not known is not ours");
        tenure.heard(Answer::Ours, 2 * second);
        assert_eq!(tenure.left(12 * second), TRUSTED - 10 * second, "from the question on");
        tenure.heard(Answer::Unknown, 20 * second);
        assert_eq!((tenure.left(21 * second), tenure.left(22 * second)), (second, Duration::ZERO));
        tenure.heard(Answer::Ours, 23 * second);
        tenure.heard(Answer::Anothers, 24 * second);
        assert_eq!(tenure.left(24 * second), Duration::ZERO);
        assert!(TRUSTED + 10 * second <= LENGTH);
    }
}
