//! Every key that a cluster's file may have.

use super::{
    API_VERSION, KIND,
    ssh::{KeyFile, SshAddress, SshUser},
};
use crate::{
    cluster_config::Reserved,
    duty::Duty,
    name::Name,
    node_address::NodeAddress,
    seed::{
        Cidr, Domain, HostName, INTERFACE, LABELS, San,
        Shape::{self, Flag, List, Map, Number, Open, Record, Text},
        TAINTS, printable, typed,
    },
    storage::StorageType,
    token::{Server, Validity},
};

/// The file's root.
pub const CLUSTER: Shape = Record(
    3,
    &[
        ("apiVersion", Text(api_version)),
        ("kind", Text(kind)),
        ("spec", SPEC),
        ("metadata", Map(&[("name", Text(typed::<Name>))])),
    ],
);

const SPEC: Shape = Record(
    1,
    &[
        ("hosts", List(&HOST)),
        ("api", Map(&[("sans", List(&Text(typed::<San>)))])),
        ("network", NETWORK),
        ("storage", Map(&[("type", Text(typed::<StorageType>))])),
        ("metricsServer", Map(&[("enabled", Flag)])),
        ("tokens", Map(&[("expiry", Text(typed::<Validity>))])),
        ("config", Open(SAID_BY_THE_FILE)),
    ],
);

/// Keys of sk8s' configuration that this file has words of its own for.
pub const SAID_BY_THE_FILE: Reserved = &[
    ("api.address", "spec.hosts[].addresses"),
    ("api.sans", "spec.api.sans"),
    ("network.podCIDR", "spec.network.podCIDR"),
    ("network.serviceCIDR", "spec.network.serviceCIDR"),
    ("network.clusterDomain", "spec.network.clusterDomain"),
    ("storage.type", "spec.storage.type"),
    ("storage.etcd.peerAddress", "spec.hosts[].nodeAddress"),
    ("metricsServer.enabled", "spec.metricsServer.enabled"),
    ("node.name", "spec.hosts[].name"),
    ("node.address", "spec.hosts[].nodeAddress"),
    ("node.labels", "spec.hosts[].labels"),
    ("node.taints", "spec.hosts[].taints"),
];

const NETWORK: Shape = Map(&[
    ("podCIDR", Text(typed::<Cidr>)),
    ("serviceCIDR", Text(typed::<Cidr>)),
    ("clusterDomain", Text(typed::<Domain>)),
]);

const HOST: Shape = Record(
    2,
    &[
        ("name", Text(typed::<HostName>)),
        ("role", Text(typed::<Duty>)),
        ("noTaints", Flag),
        ("addresses", List(&Text(typed::<Server>))),
        ("nodeAddress", Text(typed::<NodeAddress>)),
        ("ssh", SSH),
        ("localhost", Flag),
        ("board", Text(typed::<Name>)),
        ("network", List(&INTERFACE)),
        ("labels", LABELS),
        ("taints", TAINTS),
        ("config", Open(SAID_BY_THE_FILE)),
    ],
);

const SSH: Shape = Record(
    1,
    &[
        ("address", Text(typed::<SshAddress>)),
        ("user", Text(typed::<SshUser>)),
        ("port", Number(1, 65_535)),
        ("keyPath", Text(typed::<KeyFile>)),
    ],
);

fn api_version(text: &str) -> Result<(), String> {
    if text == API_VERSION {
        return Ok(());
    }
    if text.starts_with("k0sctl.") {
        return Err(format!("wanted: `{API_VERSION}`; `cluster import FILE` makes such a file of one of k0sctl's"));
    }
    Err(format!("unknown: `{}`; wanted: `{API_VERSION}`", printable(text)))
}

fn kind(text: &str) -> Result<(), String> {
    if text == KIND { Ok(()) } else { Err(format!("unknown: `{}`; wanted: `{KIND}`", printable(text))) }
}
