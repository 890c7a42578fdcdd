//! The releases of a cluster, from the Secrets that helm keeps them in. Their metadata are enough: helm writes name, revision and
//! state into labels, and ours beside them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::{NodeName, ReleaseRef};

/// All Secrets that hold a release.
pub const RELEASES: &str = "/api/v1/secrets?labelSelector=owner%3Dhelm";
/// The label with the digest of what a release of ours was made from.
pub const CHART: &str = "sk8s.skerry.dev/chart";
/// The label with the controller whose configuration a release of ours comes from.
pub const NODE: &str = "sk8s.skerry.dev/node";

/// Every release, with its revisions, the oldest first.
pub type Releases = BTreeMap<ReleaseRef, Vec<Revision>>;

/// One revision of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number, from 1.
    pub number: u32,
    /// What became of it.
    pub state: State,
    /// What we wrote on it; `None` if it is somebody else's.
    pub mark: Option<Mark>,
}

/// What we write on a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The digest of what it was made from.
    pub print: String,
    /// The controller whose configuration it comes from.
    pub node: NodeName,
}

/// What became of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is in the cluster.
    Deployed,
    /// A later one took its place.
    Superseded,
    /// It failed.
    Failed,
    /// helm was at it, or still is.
    Pending,
    /// helm was removing it, or still is.
    Uninstalling,
    /// It was removed, and is remembered.
    Uninstalled,
    /// A word that helm does not have.
    Unknown,
}

/// helm's words.
const STATES: [(&str, State); 8] = [
    ("deployed", State::Deployed),
    ("superseded", State::Superseded),
    ("failed", State::Failed),
    ("pending-install", State::Pending),
    ("pending-upgrade", State::Pending),
    ("pending-rollback", State::Pending),
    ("uninstalling", State::Uninstalling),
    ("uninstalled", State::Uninstalled),
];

/// Reads a list of Secrets. One that does not say which release it holds holds none that we could do anything about.
#[must_use]
pub fn releases(list: &Value) -> Releases {
    let mut found = Releases::new();
    for item in list["items"].as_array().into_iter().flatten() {
        if let Some((release, revision)) = read(&item["metadata"]) {
            found.entry(release).or_default().push(revision);
        }
    }
    found.values_mut().for_each(|revisions| revisions.sort_by_key(|revision| revision.number));
    found
}

fn read(metadata: &Value) -> Option<(ReleaseRef, Revision)> {
    let label = |name: &str| metadata["labels"][name].as_str();
    let release = ReleaseRef { namespace: metadata["namespace"].as_str()?.to_owned(), name: label("name")?.to_owned() };
    let word = label("status")?;
    let state = STATES.iter().find(|(known, _)| *known == word).map_or(State::Unknown, |(_, state)| *state);
    let mark = || Some(Mark { print: label(CHART)?.to_owned(), node: label(NODE)?.parse().ok()? });
    Some((release, Revision { number: label("version")?.parse().ok()?, state, mark: mark() }))
}
