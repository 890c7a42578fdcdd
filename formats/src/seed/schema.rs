//! Every key that a seed may have.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    shape::{
        Shape::{self, Flag, List, Map, Number, Open, Record, Secret, Table, Text},
        anything, typed,
    },
    text::{
        self, Address, Cidr, Domain, FilePath, HostName, InterfaceName, LabelKey, LabelValue, Mac, Owner, Pem,
        Permissions, San, SshKey, Taint,
    },
};
use crate::{
    cluster_config::Reserved,
    moment::Moment,
    name::Name,
    node_address::NodeAddress,
    role::Role,
    storage::StorageType,
    token::{JoinToken, TokenId, TokenSecret},
};

/// The seed's root.
pub const SEED: Shape = Map(&[
    ("hostname", Text(typed::<HostName>)),
    ("fqdn", Text(typed::<Domain>)),
    ("ssh_authorized_keys", List(&Text(typed::<SshKey>))),
    ("write_files", List(&WRITE_FILE)),
    ("ntp", Map(&[("servers", List(&Text(typed::<San>)))])),
    ("timezone", Text(timezone)),
    ("skerry", SECTION),
]);

const WRITE_FILE: Shape = Record(
    1,
    &[
        ("path", Text(typed::<FilePath>)),
        ("content", Text(anything)),
        ("encoding", Text(encoding)),
        ("permissions", Text(typed::<Permissions>)),
        ("owner", Text(typed::<Owner>)),
        ("append", Flag),
    ],
);

const SECTION: Shape = Map(&[
    ("role", Text(typed::<Role>)),
    ("workloads", Text(workloads)),
    ("storage", Text(typed::<StorageType>)),
    ("token", Secret(token)),
    ("tokens", List(&TOKEN)),
    ("cluster", CLUSTER),
    ("network", List(&INTERFACE)),
    ("node-address", Text(typed::<NodeAddress>)),
    ("labels", LABELS),
    ("taints", TAINTS),
    ("api", Map(&[("address", Text(typed::<Ipv4Addr>)), ("sans", List(&Text(typed::<San>)))])),
    ("pod-cidr", Text(typed::<Cidr>)),
    ("service-cidr", Text(typed::<Cidr>)),
    ("cluster-domain", Text(typed::<Domain>)),
    ("metrics-server", Flag),
    ("admin-kubeconfig", Map(&[("to", Text(hand_out))])),
    ("config", Open(SAID_BY_THE_SEED)),
]);

/// Keys of sk8s' configuration that a seed has words of its own for.
const SAID_BY_THE_SEED: Reserved = &[
    ("api.address", "skerry.api.address"),
    ("api.sans", "skerry.api.sans"),
    ("network.podCIDR", "skerry.pod-cidr"),
    ("network.serviceCIDR", "skerry.service-cidr"),
    ("network.clusterDomain", "skerry.cluster-domain"),
    ("storage.type", "skerry.storage"),
    ("storage.etcd.peerAddress", "skerry.api.address"),
    ("metricsServer.enabled", "skerry.metrics-server"),
    ("node.name", "hostname"),
    ("node.address", "skerry.node-address"),
    ("node.labels", "skerry.labels"),
    ("node.taints", "skerry.taints"),
];

/// Labels of a node.
pub const LABELS: Shape = Table(typed::<LabelKey>, typed::<LabelValue>);
/// Taints of a node.
pub const TAINTS: Shape = List(&Text(typed::<Taint>));

const TOKEN: Shape = Record(
    3,
    &[
        ("id", Text(typed::<TokenId>)),
        ("secret", Secret(typed::<TokenSecret>)),
        ("role", Text(joining)),
        ("expires", Text(typed::<Moment>)),
        ("description", Text(anything)),
    ],
);

const CLUSTER: Shape = Map(&[
    ("name", Text(typed::<Name>)),
    ("ca-cert", Text(typed::<Pem>)),
    ("ca-key", Secret(pem)),
    ("front-proxy-ca-cert", Text(typed::<Pem>)),
    ("front-proxy-ca-key", Secret(pem)),
    ("sa-key", Secret(pem)),
    ("sa-pub", Text(typed::<Pem>)),
]);

/// A wired interface.
pub const INTERFACE: Shape = Map(&[
    ("name", Text(typed::<InterfaceName>)),
    ("mac", Text(typed::<Mac>)),
    ("dhcp", Flag),
    ("addresses", List(&Text(typed::<Address>))),
    ("gateway", Text(address)),
    ("dns", List(&Text(address))),
    ("domains", List(&Text(typed::<Domain>))),
    ("mtu", Number(576, 9216)),
]);

/// What cloud-init's NoCloud calls meta-data.
pub const META_DATA: Shape = Map(&[("instance-id", Text(anything)), ("local-hostname", Text(typed::<HostName>))]);

fn one_of(text: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&text) {
        return Ok(());
    }
    let text = super::path::printable(text);
    Err(format!("unknown: `{text}`; known: `{}`", known.join("`, `")))
}

fn address(text: &str) -> Result<(), String> {
    let bad = |_| format!("not an address: `{}`", super::path::printable(text));
    text.parse::<IpAddr>().map(|_| ()).map_err(bad)
}

fn timezone(text: &str) -> Result<(), String> {
    one_of(text, &["UTC", "Etc/UTC"]).map_err(|why| format!("{why} (nodes keep universal time)"))
}

fn encoding(text: &str) -> Result<(), String> {
    one_of(text, &["text/plain", "b64", "base64"])
}

fn workloads(text: &str) -> Result<(), String> {
    one_of(text, &["tolerating", "all"])
}

/// A role that nodes join with.
fn joining(text: &str) -> Result<(), String> {
    one_of(text, &["controller", "worker"])
}

fn hand_out(text: &str) -> Result<(), String> {
    one_of(text, &["medium"])
}

/// A private key: what is wrong with it is told without showing it.
fn pem(text: &str) -> Result<(), String> {
    if text::is_pem(text) { Ok(()) } else { Err("not PEM (`-----BEGIN …`)".to_owned()) }
}

fn token(text: &str) -> Result<(), String> {
    text.parse::<JoinToken>().map(|_| ()).map_err(|error| error.to_string())
}
