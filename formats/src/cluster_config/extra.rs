//! Keys that are passed on to sk8s as they are.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_yaml_ng::{Mapping, Value};

/// Paths below `spec` of a configuration, written with dots, that a file has words of its own for, with those words.
pub(crate) type Reserved = &'static [(&'static str, &'static str)];

/// The deepest nesting of keys that are passed on: charts have values of their own.
pub(crate) const OPEN_DEPTH: usize = 32;

/// Keys of `spec` of a configuration, as its writer has them. What they may be, sk8s knows; passwords may be among them, so
/// that they are not shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(Mapping);

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.0.keys().filter_map(Value::as_str).collect();
        write!(f, "Extra({})", keys.join(", "))
    }
}

impl From<Mapping> for Extra {
    fn from(keys: Mapping) -> Self {
        Self(keys)
    }
}

impl Extra {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &Mapping {
        &self.0
    }

    /// These keys over others: maps are merged key by key, all else is replaced.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        Self(over(self.0.clone(), below.0.clone()))
    }

    /// These keys but for those at some paths, which are written with dots. A map that has no more keys goes too.
    #[must_use]
    pub fn without<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut keys = self.0.clone();
        for path in paths {
            remove(&mut keys, path);
        }
        Self(keys)
    }

    /// Whether there is a value at a path, which is written with dots.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.at(&path.split('.').collect::<Vec<_>>()).is_some()
    }

    /// Whether the cluster's objects are kept by a database that somebody else runs, which several controllers may share.
    #[must_use]
    pub fn names_a_database(&self) -> bool {
        let source = self.at(&["storage", "kine", "dataSource"]).and_then(Value::as_str);
        source.is_some_and(|source| source != "sqlite")
    }

    /// Whether the etcd that keeps the cluster's objects is run by somebody else.
    #[must_use]
    pub fn names_an_etcd(&self) -> bool {
        self.has("storage.etcd.externalCluster")
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, key| value.get(*key))
    }
}

fn remove(keys: &mut Mapping, path: &str) {
    let Some((first, rest)) = path.split_once('.') else {
        keys.remove(path);
        return;
    };
    let Some(Value::Mapping(below)) = keys.get_mut(first) else { return };
    remove(below, rest);
    if below.is_empty() {
        keys.remove(first);
    }
}

/// A map over another.
pub(super) fn over(upper: Mapping, mut below: Mapping) -> Mapping {
    for (key, value) in upper {
        let merged = match (value, below.get_mut(&key)) {
            (Value::Mapping(upper), Some(Value::Mapping(below))) => Value::Mapping(over(upper, std::mem::take(below))),
            (value, _) => value,
        };
        below.insert(key, merged);
    }
    below
}

#[cfg(test)]
mod tests {
    use super::Extra;

    fn extra(yaml: &str) -> Extra {
        serde_yaml_ng::from_str(yaml).unwrap()
    }

    #[test]
    fn maps_are_merged_and_lists_are_not() {
        let cluster = extra("{network: {provider: custom, kubeProxy: {mode: nftables}}, images: {hosts: [a]}}");
        let host = extra("{network: {kubeProxy: {disabled: true}}, images: {hosts: [b]}, node: {profile: big}}");
        let wanted = "{network: {provider: custom, kubeProxy: {mode: nftables, disabled: true}}, images: {hosts: [b]}, \
                      node: {profile: big}}";
        assert_eq!(host.over(&cluster), extra(wanted));
        assert_eq!(Extra::default().over(&cluster), cluster);
    }

    #[test]
    fn what_is_taken_out_leaves_no_empty_map() {
        let whole = extra("{node: {profile: big}, network: {podCIDR: a, provider: custom}, images: {}}");
        let wanted = extra("{network: {provider: custom}, images: {}}");
        assert_eq!(whole.without(["node.profile", "network.podCIDR", "api.sans", "network.provider.mtu"]), wanted);
        assert!(whole.has("node.profile") && !whole.has("node.profile.x") && !whole.has("nodes"));
    }

    #[test]
    fn who_keeps_the_objects_is_known() {
        assert!(extra("{storage: {kine: {dataSource: 'mysql://a'}}}").names_a_database());
        assert!(!extra("{storage: {kine: {dataSource: sqlite}}}").names_a_database());
        assert!(!extra("{storage: kine}").names_a_database() && !Extra::default().names_a_database());
        assert!(extra("{storage: {etcd: {externalCluster: {endpoints: []}}}}").names_an_etcd());
    }

    #[test]
    fn passwords_are_not_shown() {
        let shown = format!("{:?}", extra("{storage: {kine: {dataSource: 'mysql://root:hunter2@a'}}}"));
        assert_eq!(shown, "Extra(storage)");
    }
}
