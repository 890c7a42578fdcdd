//! What the agent writes for sk8s: its configuration, and the command its unit runs.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::Serialize;
use skerry_formats::{
    node_address::NodeAddress,
    role::Role,
    seed::{Api, Workloads},
    storage::StorageType,
};

use crate::intent::{Cluster, Intent};

/// sk8s' configuration.
pub const CONFIG: &str = "/run/skerry/sk8s.yaml";
/// What a worker, or one more controller, joins with.
pub const TOKEN: &str = "/run/skerry/join-token";
/// Tokens that a controller makes known.
pub const TOKENS: &str = "/run/skerry/tokens.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterConfig<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Spec<'a> {
    #[serde(skip_serializing_if = "Api::is_empty")]
    api: &'a Api,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    network: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage: Option<Storage>,
    #[serde(rename = "metricsServer", skip_serializing_if = "Option::is_none")]
    metrics_server: Option<MetricsServer>,
    node: Node<'a>,
}

#[derive(Serialize)]
struct MetricsServer {
    enabled: bool,
}

#[derive(Serialize)]
struct Storage {
    r#type: StorageType,
    #[serde(skip_serializing_if = "Option::is_none")]
    etcd: Option<Etcd>,
}

/// This controller's member: the others reach it where everybody does, unless the node has an address of its own choice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Etcd {
    peer_address: Ipv4Addr,
}

#[derive(Serialize)]
struct Node<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a NodeAddress>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taints: Vec<&'a str>,
}

/// The text of sk8s' configuration.
#[must_use]
pub fn cluster_config(intent: &Intent, cluster: &Cluster) -> String {
    let network = [
        ("podCIDR", cluster.pods.as_ref().map(|pods| pods.as_str())),
        ("serviceCIDR", cluster.services.as_ref().map(|services| services.as_str())),
        ("clusterDomain", cluster.domain.as_ref().map(|domain| domain.as_str())),
    ];
    let config = ClusterConfig {
        api_version: "sk8s.skerry.dev/v1",
        kind: "ClusterConfig",
        metadata: Metadata { name: cluster.name.as_ref().map_or("skerry", |name| name.as_str()) },
        spec: Spec {
            api: &cluster.api,
            network: network.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            storage: cluster.storage.map(|kind| Storage {
                r#type: kind,
                etcd: cluster
                    .api
                    .address
                    .filter(|_| kind == StorageType::Etcd && cluster.node_address.is_none())
                    .map(|peer_address| Etcd { peer_address }),
            }),
            metrics_server: cluster.metrics_server.map(|enabled| MetricsServer { enabled }),
            node: Node {
                name: intent.name.as_str(),
                address: cluster.node_address.as_ref(),
                labels: cluster.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
                taints: cluster.taints.iter().map(|taint| taint.as_str()).collect(),
            },
        },
    };
    // Texts and maps of texts: there is nothing here that YAML cannot say.
    serde_yaml_ng::to_string(&config).unwrap_or_default()
}

/// The drop-in that says with which role sk8s runs.
#[must_use]
pub fn unit_drop_in(role: Role, intent: &Intent) -> String {
    let verb = match role {
        Role::Single => "controller --single".to_owned(),
        Role::Controller => intent.work.cluster().map(controller).unwrap_or_default(),
        Role::Worker => "worker".to_owned(),
    };
    let token = intent.work.token().map_or_else(String::new, |_| format!(" --token-file {TOKEN}"));
    format!("# Written by skerryd.\n[Service]\nExecStart=\nExecStart=/usr/bin/sk8s {verb}{token} --config {CONFIG}\n")
}

fn controller(cluster: &Cluster) -> String {
    let works = match cluster.workloads {
        None => "",
        Some(Workloads::Tolerating) => " --enable-worker",
        Some(Workloads::All) => " --enable-worker --no-taints",
    };
    let tokens = if cluster.tokens.is_empty() { String::new() } else { format!(" --tokens {TOKENS}") };
    format!("controller{works}{tokens}")
}
