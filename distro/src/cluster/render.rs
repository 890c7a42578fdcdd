//! What a host is given: its configuration, and the words of its service. Pure.

use serde_json::{Map, Value, json};
use skerry_formats::{
    cluster::{Cluster, Host},
    digest::Digest,
    duty::Duty,
    storage::StorageType,
};

use super::{CONFIG, TOKEN};
use crate::service::ServiceRole;

/// The first line of a configuration that is ours to write again.
pub const MARK: &str = "# Written by `sk8s cluster apply`, and written again when the file of hosts changes. Without this line it is yours.";

/// The configuration of a controller; a worker has none, as it is told by its controllers.
#[must_use]
pub fn config(cluster: &Cluster, host: &Host) -> Option<String> {
    if !host.role.controls() {
        return None;
    }
    let network = &cluster.spec.network;
    let address = host.address().map(|address| address.to_string());
    let mut spec = vec![
        ("api", map([("address", address.clone().map(Value::from)), ("sans", Some(json!(cluster.sans())))])),
        (
            "network",
            map([
                ("podCIDR", network.pods.as_ref().map(|range| json!(range.as_str()))),
                ("serviceCIDR", network.services.as_ref().map(|range| json!(range.as_str()))),
                ("clusterDomain", network.domain.as_ref().map(|domain| json!(domain.as_str()))),
            ]),
        ),
    ];
    if cluster.spec.storage.kind == StorageType::Etcd {
        // Where the node has an address of its own choice, the others reach its member of etcd there.
        let peer = address.filter(|_| host.node_address.is_none());
        let etcd = map([("peerAddress", peer.map(Value::from))]);
        spec.push(("storage", map([("type", Some(json!("etcd"))), ("etcd", etcd)])));
    }
    // Said also where it is off: a controller that joined while it was on would keep to that.
    spec.push(("metricsServer", Some(json!({"enabled": cluster.spec.metrics_server.enabled}))));
    spec.push(("node", map([("address", host.node_address.as_ref().map(|wish| json!(wish)))])));
    let name = cluster.metadata.name.as_ref().map(|name| json!(name.as_str()));
    let whole = map([
        ("apiVersion", Some(json!("sk8s.skerry.dev/v1"))),
        ("kind", Some(json!("ClusterConfig"))),
        ("metadata", map([("name", name)])),
        ("spec", map(spec)),
    ]);
    // Maps, lists and texts: there is nothing here that YAML cannot say.
    let text = serde_yaml_ng::to_string(&whole).unwrap_or_default();
    Some(format!("{MARK}\n{text}"))
}

/// The keys that have a value; nothing if none has.
fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Option<Value> {
    let there = pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let map: Map<String, Value> = there.collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

/// The digest of a host's configuration.
#[must_use]
pub fn config_digest(cluster: &Cluster, host: &Host) -> Option<Digest> {
    config(cluster, host).map(|text| Digest::of(text.as_bytes()))
}

/// Which service a host has.
#[must_use]
pub const fn role(host: &Host) -> ServiceRole {
    if host.role.controls() { ServiceRole::Controller } else { ServiceRole::Worker }
}

/// The words of a host's service, behind `sk8s install`.
#[must_use]
pub fn words(host: &Host) -> Vec<String> {
    let mut words = vec![role(host).verb().to_owned()];
    match host.role {
        Duty::Single => words.push("--single".to_owned()),
        Duty::ControllerWorker => words.push("--enable-worker".to_owned()),
        Duty::Controller | Duty::Worker => {}
    }
    if host.no_taints {
        words.push("--no-taints".to_owned());
    }
    if host.role.controls() {
        words.push(format!("--config={CONFIG}"));
    }
    words.push(format!("--node-name={}", host.name));
    // A worker has no file to say it in.
    let wish = host.node_address.as_ref().filter(|_| !host.role.controls());
    words.extend(wish.map(|wish| format!("--node-address={wish}")));
    words.extend(host.labels.iter().map(|(key, value)| format!("--labels={key}={value}")));
    words.extend(host.taints.iter().map(|taint| format!("--taints={taint}")));
    words
}

/// The word that says where a host finds its token.
#[must_use]
pub fn token_word() -> String {
    format!("--token-file={TOKEN}")
}
