//! `sk8s.yaml` as written: every key optional, an unknown key an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_yaml_ng::Value;
use skerry_formats::{
    cluster_config::{API_VERSION, KIND},
    hint,
};

use super::{
    api::RawApi, gates::RawGate, helm::RawExtensions, images::RawImages, metrics_server::RawMetricsServer,
    network::RawNetwork, profile::RawProfile, refused, storage::RawStorage, users::RawInstall,
};

/// A configuration that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is no configuration.
    #[error("configuration{}: {message}{}", .line.map(|l| format!(" line {l}")).unwrap_or_default(),
        .near.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Text {
        /// Line of the mistake, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
        /// The known key nearest to an unknown one.
        near: Option<String>,
    },
    /// It is a configuration of something else.
    #[error("configuration: `{key}` is `{found}`; wanted: `{wanted}`{}", way_out(.found))]
    Other {
        /// `apiVersion` or `kind`.
        key: &'static str,
        /// What was written.
        found: String,
        /// What is understood.
        wanted: &'static str,
    },
}

/// The keys of a configuration, each as it was written or absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Raw {
    api_version: Option<String>,
    kind: Option<String>,
    /// Who the cluster is.
    #[serde(default, deserialize_with = "absent")]
    pub metadata: Metadata,
    /// How it is to be.
    #[serde(default, deserialize_with = "absent")]
    pub spec: Spec,
}

/// `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The cluster's name.
    pub name: Option<String>,
}

/// `spec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The API server.
    #[serde(default, deserialize_with = "absent")]
    pub api: RawApi,
    /// Where objects are kept.
    #[serde(default, deserialize_with = "absent")]
    pub storage: RawStorage,
    /// The cluster's network.
    #[serde(default, deserialize_with = "absent")]
    pub network: RawNetwork,
    /// kube-controller-manager.
    #[serde(default, deserialize_with = "absent")]
    pub controller_manager: Process,
    /// kube-scheduler.
    #[serde(default, deserialize_with = "absent")]
    pub scheduler: Process,
    /// What nodes and pods use.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "RawMetricsServer::is_absent")]
    pub metrics_server: RawMetricsServer,
    /// Settings of kubelets, by name.
    pub worker_profiles: Option<Vec<RawProfile>>,
    /// Features of Kubernetes that are turned on or off.
    pub feature_gates: Option<Vec<RawGate>>,
    /// Where images come from.
    #[serde(default, deserialize_with = "absent")]
    pub images: RawImages,
    /// Accounts that components run as.
    #[serde(default, deserialize_with = "absent")]
    pub install_config: RawInstall,
    /// This node.
    #[serde(default, deserialize_with = "absent")]
    pub node: Node,
    /// k0s's tunnel to nodes.
    #[serde(default)]
    pub konnectivity: Value,
    /// k0s's report to its makers.
    #[serde(default)]
    pub telemetry: Value,
    /// Helm charts, and k0s's storage.
    #[serde(default, deserialize_with = "absent")]
    pub extensions: RawExtensions,
}

/// A component of which only the flags are the owner's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Process {
    /// Its flags.
    pub extra_args: Option<BTreeMap<String, Text>>,
}

/// `spec.node`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The node's name; its host name if absent.
    pub name: Option<String>,
    /// Which of the machine's addresses is the node's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Labels it registers with.
    pub labels: Option<BTreeMap<String, String>>,
    /// Taints it registers with, each `key=value:Effect` or `key:Effect`.
    pub taints: Option<Vec<String>>,
    /// Which of `spec.workerProfiles` its kubelet follows.
    pub profile: Option<String>,
    /// Socket of a container runtime that is not sk8s' own.
    #[serde(rename = "criSocket")]
    pub cri_socket: Option<String>,
    /// Flags of its kubelet.
    #[serde(rename = "kubeletExtraArgs", skip_serializing_if = "Option::is_none")]
    pub kubelet_extra_args: Option<BTreeMap<String, Text>>,
}

impl Raw {
    /// Reads the YAML text of a configuration; an empty one has no keys.
    ///
    /// # Errors
    /// If it is no YAML, of another kind, or has an unknown key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let raw: Self = serde_yaml_ng::from_str(text).map_err(|error| explain(&error))?;
        raw.head()?;
        Ok(raw)
    }

    /// The text of a configuration with these keys, in the order of the documentation.
    ///
    /// # Errors
    /// Never for one that was read: maps, lists and texts are all that it has.
    pub fn to_yaml(&self) -> Result<String, serde_yaml_ng::Error> {
        let mut value = serde_yaml_ng::to_value(self)?;
        if let Value::Mapping(map) = &mut value {
            map.insert("apiVersion".into(), API_VERSION.into());
            map.insert("kind".into(), KIND.into());
        }
        serde_yaml_ng::to_string(&pruned(value))
    }

    /// The keys that every node of a cluster must have alike, as the text of a configuration.
    #[must_use]
    pub fn shared(&self) -> String {
        let spec = Spec {
            network: self.spec.network.clone(),
            worker_profiles: self.spec.worker_profiles.clone(),
            feature_gates: self.spec.feature_gates.clone(),
            images: self.spec.images.clone(),
            ..Spec::default()
        };
        let shared = Self { metadata: self.metadata.clone(), spec, ..Self::default() };
        // Maps, lists and texts: there is nothing here that YAML cannot say.
        serde_yaml_ng::to_string(&shared).unwrap_or_default()
    }

    /// What every controller of a cluster is to say, as the text of a configuration: all but what is this node's own. Charts
    /// are, as manifests are: each controller brings in its own.
    #[must_use]
    pub fn controllers(&self) -> String {
        let mut shared = self.clone();
        shared.spec.node = Node::default();
        shared.spec.api.address = None;
        shared.spec.storage.etcd.peer_address = None;
        shared.spec.extensions = RawExtensions::default();
        serde_yaml_ng::to_string(&shared).unwrap_or_default()
    }

    /// Whether it says that it is what it is taken for.
    pub(super) fn head(&self) -> Result<(), ConfigError> {
        is("apiVersion", self.api_version.as_deref(), API_VERSION)?;
        is("kind", self.kind.as_deref(), KIND)
    }

    /// These keys, and where one is absent, that of `base`. Maps are merged key by key, lists are not.
    ///
    /// # Errors
    /// If the two do not make a configuration together, which two of them always do.
    pub fn over(self, base: Self) -> Result<Self, ConfigError> {
        let value = |raw: Self| serde_yaml_ng::to_value(raw).map_err(|error| explain(&error));
        let merged = merge(value(self)?, value(base)?);
        serde_yaml_ng::from_value(merged).map_err(|error| explain(&error))
    }
}

/// Without the keys that have no value.
fn pruned(value: Value) -> Value {
    match value {
        Value::Mapping(map) => {
            let kept = map.into_iter().map(|(key, value)| (key, pruned(value)));
            Value::Mapping(kept.filter(|(_, value)| !refused::is_empty(value)).collect())
        }
        other => other,
    }
}

/// A value over another. What is null was not written.
fn merge(over: Value, base: Value) -> Value {
    match (over, base) {
        (Value::Null, base) => base,
        (Value::Mapping(over), Value::Mapping(mut base)) => {
            for (key, value) in over {
                let below = base.remove(&key).unwrap_or_default();
                base.insert(key, merge(value, below));
            }
            Value::Mapping(base)
        }
        (over, _) => over,
    }
}

/// A section that may be there without a value: its keys are absent then.
pub(super) fn absent<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// A text that may be written as a number or a truth value, as the values of flags are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) => Ok(Self(text)),
            Value::Bool(on) => Ok(Self(on.to_string())),
            Value::Number(number) if !number.is_f64() => Ok(Self(number.to_string())),
            _ => Err(de::Error::custom("wanted: a text, in quotes unless it is a whole number, `true` or `false`")),
        }
    }
}

fn way_out(found: &str) -> &'static str {
    if found.starts_with("k0s.k0sproject.io/") { "; `sk8s config import` converts a k0s.yaml" } else { "" }
}

fn is(key: &'static str, found: Option<&str>, wanted: &'static str) -> Result<(), ConfigError> {
    match found {
        Some(found) if found != wanted => Err(ConfigError::Other { key, found: found.to_owned(), wanted }),
        _ => Ok(()),
    }
}

/// serde's words for an unknown key list the known ones in back-ticks: the nearest of them is the hint.
pub(super) fn explain(error: &serde_yaml_ng::Error) -> ConfigError {
    let line = error.location().map(|at| at.line());
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or_default().to_owned();
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let near = match words.split_first() {
        Some((unknown, known)) if message.contains("unknown field") => {
            let alike = known.iter().copied().find(|known| known.eq_ignore_ascii_case(unknown));
            alike.or_else(|| hint::nearest(unknown, known.iter().copied())).map(ToOwned::to_owned)
        }
        _ => None,
    };
    ConfigError::Text { line, message, near }
}

#[cfg(test)]
mod tests {
    use serde_yaml_ng::Value;

    use super::Raw;

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
        let text = "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\nspec:\n  network:\n    podCidr: 10.0.0.0/16\n";
        let error = Raw::parse(text).expect_err("a misspelt key").to_string();
        assert_eq!(
            error,
            "configuration line 5: spec.network: unknown field `podCidr`, expected one of `provider`, `flannel`, \
             `podCIDR`, `serviceCIDR`, `clusterDomain`, `dualStack`, `kubeProxy`; did you mean `podCIDR`?"
        );
    }

    #[test]
    fn another_kind_is_refused() {
        let error = Raw::parse("apiVersion: sk8s.skerry.dev/v1\nkind: Pod\n").expect_err("a pod").to_string();
        assert_eq!(error, "configuration: `kind` is `Pod`; wanted: `ClusterConfig`");
    }

    #[test]
    fn a_k0s_yaml_comes_with_a_way_out() {
        let error = Raw::parse("apiVersion: k0s.k0sproject.io/v1beta1\n").expect_err("k0s").to_string();
        assert!(error.ends_with("wanted: `sk8s.skerry.dev/v1`; `sk8s config import` converts a k0s.yaml"), "{error}");
    }

    #[test]
    fn a_section_without_a_value_is_absent() {
        assert_eq!(Raw::parse("metadata:\nspec: {api: , storage: {etcd: }, node: }").expect("valid"), Raw::default());
    }

    #[test]
    fn maps_are_merged_and_lists_are_not() {
        let file =
            Raw::parse("spec: {node: {labels: {a: '1', b: '1'}}, api: {sans: [a], extraArgs: {v: 1}}}").expect("valid");
        let flags = Raw::parse("spec: {node: {labels: {b: '2'}}, api: {sans: [b], extraArgs: {event-ttl: 1h}}}")
            .expect("valid");
        let wanted = "spec: {node: {labels: {a: '1', b: '2'}}, api: {sans: [b], extraArgs: {v: '1', event-ttl: 1h}}}";
        assert_eq!(flags.over(file).expect("mergeable"), Raw::parse(wanted).expect("valid"));
    }

    #[test]
    fn a_flags_value_is_a_text_a_whole_number_or_a_truth_value() {
        let raw = Raw::parse("spec: {api: {extraArgs: {a: x, b: 2, c: true}}}").expect("valid");
        let flags: Vec<_> = raw.spec.api.extra_args.iter().flatten().map(|(_, value)| value.as_str()).collect();
        assert_eq!(flags, ["x", "2", "true"]);
        let error = Raw::parse("spec:\n  api:\n    extraArgs:\n      a: 1.50\n").expect_err("a fraction").to_string();
        let wanted = "configuration line 4: spec.api.extraArgs: wanted: a text, in quotes unless it is a whole number";
        assert!(error.starts_with(wanted), "{error}");
    }

    #[test]
    fn the_later_source_wins_key_by_key() {
        let file = Raw::parse("metadata: {name: shed}\nspec: {node: {name: one}}").expect("valid");
        let flags = Raw::parse("spec: {node: {name: two}}").expect("valid");
        let merged = flags.over(file).expect("mergeable");
        assert_eq!(merged.spec.node.name.as_deref(), Some("two"));
        assert_eq!(merged.metadata.name.as_deref(), Some("shed"));
    }

    #[test]
    fn what_nodes_share_is_the_cluster_and_nothing_of_one_node() {
        let text = "metadata: {name: farm}\nspec: {network: {podCIDR: 10.9.0.0/16}, node: {name: tower, profile: small},\n  \
                    workerProfiles: [{name: small, values: {maxPods: 20}}], storage: {type: etcd}}";
        let cluster = Raw::parse(text).expect("valid");
        let own = Raw::parse("spec: {node: {name: shed, profile: small}}").expect("valid");
        let joined = Raw::parse(&cluster.shared()).expect("its own text").over(own).expect("mergeable");
        assert_eq!(joined.metadata, cluster.metadata);
        assert_eq!(joined.spec.network, cluster.spec.network);
        assert_eq!(joined.spec.worker_profiles, cluster.spec.worker_profiles);
        assert_eq!(joined.spec.node.name.as_deref(), Some("shed"));
        assert_eq!(joined.spec.storage, super::Spec::default().storage);
    }

    #[test]
    fn what_a_worker_is_told_has_no_key_that_an_older_one_does_not_know() {
        let raw = Raw::parse("spec: {metricsServer: {enabled: true}}").expect("valid");
        assert!(raw.controllers().contains("metricsServer"));
        assert!(!raw.shared().contains("metricsServer"));
        let own = Raw::parse("spec: {node: {address: eth1, kubeletExtraArgs: {v: 2}}}").expect("valid");
        for text in [own.shared(), own.controllers()] {
            let told: Value = serde_yaml_ng::from_str(&text).expect("YAML");
            for key in ["address", "kubeletExtraArgs"] {
                assert_eq!(told["spec"]["node"].get(key), None, "nor one that is this node's");
            }
        }
    }

    #[test]
    fn charts_and_their_passwords_are_told_to_nobody_else() {
        let own = "{name: own, url: 'https://charts.example', username: me, password: hidden}";
        let text = format!("spec: {{api: {{sans: [a]}}, extensions: {{helm: {{repositories: [{own}]}}}}}}");
        let raw = Raw::parse(&text).expect("valid");
        assert!(raw.controllers().contains("sans") && !raw.controllers().contains("hidden"));
        assert!(!raw.shared().contains("hidden"));
    }

    #[test]
    fn an_empty_file_has_no_keys() {
        assert_eq!(Raw::parse("# nothing\n\n").expect("valid"), Raw::default());
    }
}
