//! Settings of kubelets, by name: `spec.workerProfiles`.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skerry_formats::hint;

use super::node::is_subdomain;

/// The profile of a node that asks for none.
pub const DEFAULT: &str = "default";

/// Keys of kubelet's configuration and their values, as an owner wants them.
pub type KubeletValues = serde_json::Map<String, Value>;

/// The profiles of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profiles(BTreeMap<String, KubeletValues>);

/// One of `spec.workerProfiles` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawProfile {
    /// Its name.
    pub name: String,
    /// Keys of `KubeletConfiguration`.
    #[serde(default)]
    pub values: KubeletValues,
}

/// A profile that cannot be.
#[derive(Debug, PartialEq, Eq)]
pub struct BadProfile {
    profile: String,
    wrong: Wrong,
}

#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Name,
    Twice,
    Unknown(String, Option<&'static str>),
    Owned(&'static str, &'static str),
}

impl std::error::Error for BadProfile {}

impl fmt::Display for BadProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.profile;
        match &self.wrong {
            Wrong::Name => write!(f, "not a profile's name: `{name}`; wanted: lower-case letters, digits, `-` and `.`"),
            Wrong::Twice => write!(f, "{name}: given twice"),
            Wrong::Unknown(key, Some(near)) => {
                write!(f, "{name}: kubelet has no setting `{key}`; did you mean `{near}`?")
            }
            Wrong::Unknown(key, None) => write!(f, "{name}: kubelet has no setting `{key}`"),
            Wrong::Owned(key, reason) => write!(f, "{name}: `{key}` is not yours to set: {reason}"),
        }
    }
}

/// The keys of kubelet's configuration in this version (`kubelet.config.k8s.io/v1beta1`), one a line.
const KNOWN: &str = include_str!("kubelet.txt");

const KEYS: &str = "sk8s makes and renews the cluster's keys and certificates";
const ADDRESSES: &str = "sk8s decides what listens where";
const SAFETY: &str = "a kubelet asks the API server who may do what";
const RUNTIME: &str = "containerd is set up to match, and `spec.node.criSocket` names another runtime";

/// What sk8s sets itself, and why.
const OWNED: [(&str, &str); 28] = [
    ("address", ADDRESSES),
    ("apiVersion", "it is that of this version's kubelet"),
    ("authentication", SAFETY),
    ("authorization", SAFETY),
    ("cgroupDriver", RUNTIME),
    ("clusterDNS", "it follows from `spec.network.serviceCIDR`"),
    ("clusterDomain", "set `spec.network.clusterDomain` instead"),
    ("containerRuntimeEndpoint", RUNTIME),
    ("enableServer", ADDRESSES),
    ("featureGates", "set `spec.featureGates` instead"),
    ("healthzBindAddress", ADDRESSES),
    ("healthzPort", ADDRESSES),
    ("imageServiceEndpoint", RUNTIME),
    ("kind", "it is `KubeletConfiguration`"),
    ("podCIDR", "each node has its part of `spec.network.podCIDR`"),
    ("port", ADDRESSES),
    ("providerID", "it is one node's, and a profile is for many: set `provider-id` in `spec.node.kubeletExtraArgs`"),
    ("readOnlyPort", "a node has no port without a lock"),
    ("registerNode", "a node registers itself"),
    ("registerWithTaints", "set `spec.node.taints` instead"),
    ("resolvConf", "sk8s leaves out resolvers that a pod cannot reach"),
    ("rotateCertificates", KEYS),
    ("runOnce", "kubelet would end"),
    ("serverTLSBootstrap", KEYS),
    ("staticPodURL", "what runs on a node is decided by its cluster"),
    ("staticPodURLHeader", "what runs on a node is decided by its cluster"),
    ("tlsCertFile", KEYS),
    ("tlsPrivateKeyFile", KEYS),
];

impl Profiles {
    /// Checks `spec.workerProfiles`.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn validate(raw: &[RawProfile]) -> Result<Self, Vec<BadProfile>> {
        let (mut profiles, mut problems) = (BTreeMap::new(), Vec::new());
        for profile in raw {
            let mut bad = |wrong| problems.push(BadProfile { profile: profile.name.clone(), wrong });
            if !is_subdomain(&profile.name) {
                bad(Wrong::Name);
            }
            profile.values.keys().filter_map(|key| wrong(key)).for_each(&mut bad);
            if profiles.insert(profile.name.clone(), profile.values.clone()).is_some() {
                bad(Wrong::Twice);
            }
        }
        if problems.is_empty() { Ok(Self(profiles)) } else { Err(problems) }
    }

    /// A profile's values. The default profile is there even if nobody wrote one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<KubeletValues> {
        self.0.get(name).cloned().or_else(|| (name == DEFAULT).then(KubeletValues::new))
    }

    /// The names of the profiles that were written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Why a key may not be in a profile; `None` if it may.
pub(super) fn refusal(profile: &str, key: &str) -> Option<BadProfile> {
    wrong(key).map(|wrong| BadProfile { profile: profile.to_owned(), wrong })
}

fn wrong(key: &str) -> Option<Wrong> {
    if let Some((key, reason)) = OWNED.iter().find(|(owned, _)| *owned == key) {
        return Some(Wrong::Owned(key, reason));
    }
    let known = KNOWN.lines().any(|known| known == key);
    (!known).then(|| Wrong::Unknown(key.to_owned(), hint::nearest(key, KNOWN.lines())))
}

/// Puts values over others as RFC 7396 says: maps are merged, `null` takes away, all else replaces.
pub fn put_over(values: &KubeletValues, base: &mut Value) {
    let Value::Object(base) = base else { return };
    for (key, value) in values {
        match (value, base.get_mut(key)) {
            (Value::Null, _) => {
                base.remove(key);
            }
            (Value::Object(values), Some(below @ Value::Object(_))) => put_over(values, below),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{KNOWN, OWNED, Profiles, put_over};

    fn profiles(yaml: &str) -> Result<Profiles, Vec<String>> {
        let raw: Vec<super::RawProfile> = serde_yaml_ng::from_str(yaml).expect("well-formed");
        Profiles::validate(&raw).map_err(|bad| bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_ours_is_a_key_that_kubelet_has() {
        for (key, _) in OWNED.iter().filter(|(key, _)| !["apiVersion", "kind"].contains(key)) {
            assert!(KNOWN.lines().any(|known| known == *key), "{key}");
        }
    }

    #[test]
    fn every_problem_is_told() {
        let yaml = "[{name: Big, values: {}}, {name: big, values: {maxPod: 9, clusterDNS: [192.0.2.1]}}, {name: big}]";
        let wanted = [
            "not a profile's name: `Big`; wanted: lower-case letters, digits, `-` and `.`",
            "big: `clusterDNS` is not yours to set: it follows from `spec.network.serviceCIDR`",
            "big: kubelet has no setting `maxPod`; did you mean `maxPods`?",
            "big: given twice",
        ];
        assert_eq!(profiles(yaml).expect_err("refused"), wanted);
    }

    #[test]
    fn the_default_profile_is_always_there() {
        let profiles = profiles("[{name: big, values: {maxPods: 250}}]").expect("valid");
        assert_eq!(profiles.get("default"), Some(super::KubeletValues::new()));
        assert_eq!(profiles.get("big").map(|values| values["maxPods"].clone()), Some(json!(250)));
        assert_eq!(profiles.get("small"), None);
    }

    #[test]
    fn values_are_merged_map_by_map() {
        let mut base = json!({"evictionHard": {"a": "1", "b": "2"}, "list": [1], "gone": 1});
        let values = json!({"evictionHard": {"b": "3"}, "list": [2], "gone": null, "new": {"x": 1}});
        put_over(values.as_object().expect("a map"), &mut base);
        assert_eq!(base, json!({"evictionHard": {"a": "1", "b": "3"}, "list": [2], "new": {"x": 1}}));
    }
}
