//! The flags that k0sctl installs k0s with on a host, as far as there is something for them here.

use std::{collections::BTreeMap, str::FromStr};

use serde_yaml_ng::{Mapping, Value};

use super::Remarks;
use crate::{cluster_config::Extra, node_address::NodeAddress};

/// k0s' component that a file of hosts has a key of its own for.
pub const METRICS_SERVER: &str = "metrics-server";
/// Components that sk8s' configuration has keys for.
const KUBE_PROXY: &str = "kube-proxy";
const NETWORK: &str = "network-provider";
/// The kubelet's flag for its node's address, which a file of hosts has a word for.
const NODE_IP: &str = "node-ip";

/// What k0s is installed with.
#[derive(Debug, Default)]
pub struct Flags {
    pub no_taints: bool,
    labels: Vec<String>,
    taints: Vec<String>,
    without: Vec<String>,
    profile: Option<String>,
    runtime: Option<String>,
    kubelet: Vec<String>,
}

impl Flags {
    /// A host's; what there is nothing for is remarked upon.
    pub fn read(value: &Value, at: &str, remarks: &mut Remarks) -> Self {
        let mut flags = Self::default();
        let mut words = words(&value["installFlags"]);
        while let Some(word) = words.next() {
            let (flag, inline) = word.split_once('=').map_or((word, None), |(flag, rest)| (flag, Some(rest)));
            let mut given = || inline.or_else(|| words.next()).unwrap_or_default().trim_matches(QUOTES);
            match flag {
                "--profile" => flags.profile = Some(given().to_owned()),
                "--cri-socket" => flags.runtime = Some(given().to_owned()),
                "--kubelet-extra-args" => flags.kubelet.extend(given().split_whitespace().map(str::to_owned)),
                "--labels" => flags.labels.extend(list(given())),
                "--taints" => flags.taints.extend(list(given())),
                "--disable-components" => flags.without.extend(list(given())),
                "--no-taints" => flags.no_taints = true,
                "--enable-worker" => {}
                other => remarks.flag(at, &format!("`{other}` not carried over: this file has no key for it")),
            }
        }
        for name in flags.without.iter().filter(|name| ![METRICS_SERVER, KUBE_PROXY, NETWORK].contains(&name.as_str()))
        {
            remarks.flag(at, &format!("`--disable-components {name}` left out: this file has no key for it"));
        }
        flags
    }

    /// Whether one of k0s' components is left out.
    pub fn is_without(&self, component: &str) -> bool {
        self.without.iter().any(|name| name == component)
    }

    /// Whether there is anything that only a node has.
    pub fn is_of_a_node(&self) -> bool {
        !self.labels.is_empty() || !self.taints.is_empty()
    }

    /// What the kubelet is told of its node's address.
    pub fn node_address(&self) -> Option<NodeAddress> {
        let mut pairs = self.kubelet.iter().filter_map(|word| pair(word));
        let (_, text) = pairs.find(|(flag, _)| *flag == NODE_IP)?;
        text.parse().ok().filter(|address| matches!(address, NodeAddress::Fixed(_)))
    }

    /// What sk8s' configuration has keys for.
    pub fn config(&self, at: &str, remarks: &mut Remarks) -> Extra {
        // k0s names the kind of runtime before its socket.
        let socket = self.runtime.as_ref().map(|text| text.strip_prefix("remote:").unwrap_or(text));
        let mut args = Mapping::new();
        for word in &self.kubelet {
            match pair(word) {
                Some((NODE_IP, _)) => {}
                Some((flag, value)) => drop(args.insert(flag.into(), value.into())),
                None => {
                    remarks.flag(at, &format!("`{word}` of `--kubelet-extra-args` left out: wanted `--FLAG=VALUE`"))
                }
            }
        }
        let node = map([
            ("profile", self.profile.as_deref().map(Value::from)),
            ("criSocket", socket.map(Value::from)),
            ("kubeletExtraArgs", (!args.is_empty()).then(|| args.into())),
        ]);
        let proxy = map([("disabled", self.is_without(KUBE_PROXY).then(|| true.into()))]);
        let network = map([("provider", self.is_without(NETWORK).then(|| "custom".into())), ("kubeProxy", proxy)]);
        let whole = map([("node", node), ("network", network)]);
        Extra::from(super::map(&whole.unwrap_or_default()))
    }

    pub fn labels<K: FromStr + Ord, V: FromStr>(&self, at: &str, remarks: &mut Remarks) -> BTreeMap<K, V> {
        let pair = |text: &str| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            Some((key.parse().ok()?, value.parse().ok()?))
        };
        each(&self.labels, (at, remarks), pair).collect()
    }

    pub fn taints<T: FromStr>(&self, at: &str, remarks: &mut Remarks) -> Vec<T> {
        each(&self.taints, (at, remarks), |text| text.parse().ok()).collect()
    }
}

const QUOTES: [char; 3] = ['"', '\'', ' '];

/// The flags and values of a list, of which one text may hold a flag and its value. A value may have blanks in it behind a `=`.
fn words(list: &Value) -> impl Iterator<Item = &str> {
    let texts = list.as_sequence().into_iter().flatten().filter_map(Value::as_str);
    let parts = texts.flat_map(|text| match text.split_once(' ') {
        Some((flag, value)) if !flag.contains('=') => [Some(flag), Some(value)],
        _ => [Some(text), None],
    });
    parts.flatten().map(|word| word.trim_matches(QUOTES))
}

fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').filter(|part| !part.is_empty()).map(str::to_owned)
}

fn pair(word: &str) -> Option<(&str, &str)> {
    word.strip_prefix("--")?.split_once('=')
}

/// The keys that have a value; nothing if none has.
fn map<const N: usize>(pairs: [(&str, Option<Value>); N]) -> Option<Value> {
    let map: Mapping = pairs.into_iter().filter_map(|(key, value)| Some((key.into(), value?))).collect();
    (!map.is_empty()).then(|| map.into())
}

/// Each text that can be read; the others are remarked upon.
fn each<T>(
    texts: &[String],
    (at, remarks): (&str, &mut Remarks),
    read: impl Fn(&str) -> Option<T>,
) -> impl Iterator<Item = T> {
    let mut found = Vec::new();
    for text in texts {
        match read(text) {
            Some(value) => found.push(value),
            None => remarks.flag(at, &format!("`{text}` left out: Kubernetes refuses it")),
        }
    }
    found.into_iter()
}
