//! The cluster's controllers by name, for who decides whether a name is free: a ConfigMap of `kube-system` with a line each,
//! its name and where the other controllers reach it. Where controllers share a datastore of somebody else's, nothing else
//! says who they are.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::{Value, json};

use crate::{
    api::{ApiError, CONFIG_MAPS, Client},
    config::NodeName,
    peers::{self, Member},
};

/// The ConfigMap's name.
pub const ROSTER: &str = "sk8s-controllers";

/// The controllers that have a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster(BTreeMap<String, String>);

impl Roster {
    /// Nobody's.
    pub const EMPTY: Self = Self(BTreeMap::new());

    /// Reads it; without one nobody has a line.
    ///
    /// # Errors
    /// If the API does not answer.
    pub fn read(client: &Client) -> Result<Self, ApiError> {
        Ok(client.get(&path())?.as_ref().map(Self::of).unwrap_or_default())
    }

    /// Reads the ConfigMap.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let lines = object["data"].as_object().into_iter().flatten();
        Self(lines.map(|(name, address)| (name.clone(), address.as_str().unwrap_or_default().to_owned())).collect())
    }

    /// Gives a controller its line; the others' stay.
    ///
    /// # Errors
    /// If the API does not answer or refuses.
    pub fn enter(client: &Client, name: &NodeName, address: IpAddr) -> Result<(), ApiError> {
        Self::change(client, &json!({ (name.as_str()): address.to_string() }))
    }

    /// Takes lines out.
    ///
    /// # Errors
    /// If the API does not answer or refuses.
    pub fn strike(client: &Client, names: &[&str]) -> Result<(), ApiError> {
        let lines: BTreeMap<&str, Value> = names.iter().map(|name| (*name, Value::Null)).collect();
        Self::change(client, &json!(lines))
    }

    fn change(client: &Client, lines: &Value) -> Result<(), ApiError> {
        let empty = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": ROSTER, "namespace": "kube-system" },
        });
        client.create(CONFIG_MAPS, &empty)?;
        client.merge(&path(), &json!({ "data": lines }))
    }

    /// Whether a controller has that name.
    #[must_use]
    pub fn has(&self, name: &NodeName) -> bool {
        self.0.contains_key(name.as_str())
    }

    /// Whether a controller of that name is at that address.
    #[must_use]
    pub fn is(&self, name: &NodeName, address: IpAddr) -> bool {
        self.0.get(name.as_str()).is_some_and(|line| line.parse() == Ok(address))
    }

    /// Whose lines are of controllers that are no members of the cluster's own etcd any more. One that was told of and has
    /// not started yet has no name there, but an address.
    #[must_use]
    pub fn gone(&self, members: &[Member]) -> Vec<&str> {
        let there = |name: &str, line: &str| {
            let url = line.parse().map(peers::url).unwrap_or_default();
            members.iter().any(|member| member.name == name || (!member.started() && member.urls.contains(&url)))
        };
        self.0.iter().filter(|(name, line)| !there(name, line)).map(|(name, _)| name.as_str()).collect()
    }
}

fn path() -> String {
    format!("{CONFIG_MAPS}/{ROSTER}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Roster;
    use crate::peers::{Member, MemberId, url};

    fn roster() -> Roster {
        Roster::of(&json!({"data": {"barn": "192.0.2.1", "mill": "fd00::2", "shed": "?"}}))
    }

    #[test]
    fn a_controller_is_known_by_its_name_and_told_from_another_by_its_address() {
        let name = |text: &str| text.parse().expect("a name");
        assert!(roster().has(&name("barn")) && !roster().has(&name("keep")));
        assert!(
            roster().is(&name("barn"), [192, 0, 2, 1].into())
                && roster().is(&name("mill"), "fd00::2".parse().expect("valid"))
        );
        assert!(!roster().is(&name("barn"), [192, 0, 2, 2].into()));
        assert!(roster().has(&name("shed")) && !roster().is(&name("shed"), [192, 0, 2, 1].into()));
        assert_eq!(Roster::of(&json!({})), Roster::default());
    }

    #[test]
    fn who_left_etcd_has_no_line_and_who_is_expected_keeps_it() {
        let member = |name: &str, address: [u8; 4]| Member {
            id: MemberId(1),
            name: name.to_owned(),
            urls: vec![url(address.into())],
            learner: false,
        };
        assert_eq!(roster().gone(&[member("barn", [192, 0, 2, 9])]), ["mill", "shed"], "an address may be old");
        assert_eq!(roster().gone(&[member("", [192, 0, 2, 1])]), ["mill", "shed"], "it has not started yet");
        assert_eq!(roster().gone(&[member("tower", [192, 0, 2, 1])]), ["barn", "mill", "shed"], "another is there now");
    }
}
