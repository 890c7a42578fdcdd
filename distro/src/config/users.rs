//! Accounts that components run as: `spec.installConfig.users`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Accounts other than those of the components' own names, by component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<&'static str, String>);

/// `spec.installConfig` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawInstall {
    /// Accounts.
    #[serde(default, deserialize_with = "super::raw::absent")]
    pub users: RawUsers,
}

/// `spec.installConfig.users` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawUsers {
    /// etcd's.
    #[serde(rename = "etcdUser")]
    pub etcd: Option<String>,
    /// kine's.
    #[serde(rename = "kineUser")]
    pub kine: Option<String>,
    /// kube-apiserver's.
    #[serde(rename = "kubeAPIserverUser")]
    pub apiserver: Option<String>,
    /// kube-controller-manager's.
    #[serde(rename = "kubeControllerManagerUser")]
    pub controller_manager: Option<String>,
    /// kube-scheduler's.
    #[serde(rename = "kubeSchedulerUser")]
    pub scheduler: Option<String>,
}

/// A name that no account has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("users.{key}: not a name of an account: `{name}`")]
pub struct BadUser {
    key: &'static str,
    name: String,
}

impl Users {
    /// Checks `spec.installConfig.users`.
    ///
    /// # Errors
    /// Every name that no account can have.
    pub fn validate(raw: &RawInstall) -> Result<Self, Vec<BadUser>> {
        let given = [
            ("etcd", "etcdUser", &raw.users.etcd),
            ("kine", "kineUser", &raw.users.kine),
            ("kube-apiserver", "kubeAPIserverUser", &raw.users.apiserver),
            ("kube-controller-manager", "kubeControllerManagerUser", &raw.users.controller_manager),
            ("kube-scheduler", "kubeSchedulerUser", &raw.users.scheduler),
        ];
        let given: Vec<_> = given.into_iter().filter_map(|(id, key, name)| Some((id, key, name.clone()?))).collect();
        let bad = given.iter().filter(|(_, _, name)| !is_account(name));
        let bad: Vec<_> = bad.map(|(_, key, name)| BadUser { key, name: name.clone() }).collect();
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(Self(given.into_iter().map(|(id, _, name)| (id, name)).collect()))
    }

    /// The account that a component is to run as, if its owner named one.
    #[must_use]
    pub fn of(&self, component: &str) -> Option<&str> {
        self.0.get(component).map(String::as_str)
    }

    /// Every account that was named, with its component.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(component, name)| (*component, name.as_str()))
    }
}

/// The names that useradd(8) takes.
fn is_account(name: &str) -> bool {
    let first = |c: char| c.is_ascii_lowercase() || c == '_';
    (1..=32).contains(&name.len())
        && name.starts_with(first)
        && name.chars().all(|c| first(c) || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::Users;

    #[test]
    fn accounts_are_known_by_their_component() {
        let raw = serde_yaml_ng::from_str("{users: {kubeAPIserverUser: api, kineUser: db}}").expect("well-formed");
        let users = Users::validate(&raw).expect("valid");
        assert_eq!((users.of("kube-apiserver"), users.of("kube-scheduler")), (Some("api"), None));
        assert_eq!(users.all().collect::<Vec<_>>(), [("kine", "db"), ("kube-apiserver", "api")]);
    }

    #[test]
    fn a_name_that_no_account_has_is_refused() {
        let raw = serde_yaml_ng::from_str("{users: {etcdUser: 'a b', kineUser: ''}}").expect("well-formed");
        let bad: Vec<_> = Users::validate(&raw).expect_err("refused").iter().map(ToString::to_string).collect();
        assert_eq!(
            bad,
            ["users.etcdUser: not a name of an account: `a b`", "users.kineUser: not a name of an account: ``"]
        );
    }
}
