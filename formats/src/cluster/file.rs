//! The file's types.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{ssh::Ssh, storage::Storage};
use crate::{
    cluster_config::Extra,
    duty::Duty,
    name::Name,
    node_address::NodeAddress,
    seed::{Address, Api, Cidr, Domain, HostName, Interface, LabelKey, LabelValue, Taint, Workloads},
    token::{Server, Validity},
};

/// A cluster's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cluster {
    pub(super) api_version: String,
    pub(super) kind: String,
    /// Who the cluster is.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// How it is to be.
    pub spec: Spec,
}

/// `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// The cluster's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
}

impl Metadata {
    const fn is_empty(&self) -> bool {
        self.name.is_none()
    }
}

/// `spec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The API server.
    #[serde(default, skip_serializing_if = "is_default")]
    pub api: Api,
    /// Addresses within the cluster.
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: Network,
    /// Where objects are kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub storage: Storage,
    /// What nodes and pods use, as a part of the API.
    #[serde(default, skip_serializing_if = "is_default")]
    pub metrics_server: MetricsServer,
    /// Join tokens.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tokens: Tokens,
    /// Keys of sk8s' configuration that there are no words for here, for all controllers.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub config: Extra,
    /// The hosts, each name once.
    pub hosts: Vec<Host>,
}

/// metrics-server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsServer {
    /// Whether it runs.
    pub enabled: bool,
}

/// Addresses within the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Addresses of pods.
    #[serde(rename = "podCIDR", skip_serializing_if = "Option::is_none")]
    pub pods: Option<Cidr>,
    /// Addresses of Services.
    #[serde(rename = "serviceCIDR", skip_serializing_if = "Option::is_none")]
    pub services: Option<Cidr>,
    /// The DNS domain.
    #[serde(rename = "clusterDomain", skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
}

/// Join tokens of hosts that have not joined yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long each is good, from when it is made.
    pub expiry: Validity,
}

impl Default for Tokens {
    /// Thirty days: hosts are flashed, carried to their places and switched on.
    fn default() -> Self {
        Self { expiry: Validity(Some(Duration::from_secs(30 * 24 * 60 * 60))) }
    }
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Host {
    /// Its name, and its node's.
    pub name: HostName,
    /// What it does.
    pub role: Duty,
    /// Whether a controller that works runs all workloads, and not only those that tolerate a control plane.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_taints: bool,
    /// Where a controller is called, the first before the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Server>,
    /// Which of its addresses is its node's, where other nodes reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_address: Option<NodeAddress>,
    /// How a plain Linux host is logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Whether it is the very machine that the owner sits at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub localhost: bool,
    /// What hardware it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<Name>,
    /// Interfaces with a configuration of their own; all others use DHCP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<Interface>,
    /// Labels of its node.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Taints of its node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// Keys of its sk8s' configuration that there are no words for here, over those of all controllers.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub config: Extra,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Host {
    /// Where a controller is called: its `addresses`, or else the fixed addresses of its interfaces.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        if !self.addresses.is_empty() {
            return self.addresses.clone();
        }
        self.fixed().collect()
    }

    /// The fixed addresses of its interfaces.
    fn fixed(&self) -> impl Iterator<Item = Server> + '_ {
        self.network.iter().flat_map(|interface| &interface.addresses).filter_map(server)
    }

    /// Which of its own fixed addresses a controller is called at; `None` if it is called at what it gets from elsewhere.
    #[must_use]
    pub fn address(&self) -> Option<Ipv4Addr> {
        let fixed: Vec<Server> = self.fixed().collect();
        let called = self.servers().into_iter().filter(|called| fixed.contains(called));
        called.filter_map(|server| server.host_and_port().0.parse().ok()).next()
    }

    /// Which workloads a controller runs; `None` if it runs none or has no choice.
    #[must_use]
    pub const fn workloads(&self) -> Option<Workloads> {
        match (self.role, self.no_taints) {
            (Duty::ControllerWorker, true) => Some(Workloads::All),
            (Duty::ControllerWorker, false) => Some(Workloads::Tolerating),
            _ => None,
        }
    }
}

/// An interface's address without its prefix, as something to call.
fn server(address: &Address) -> Option<Server> {
    let ip: IpAddr = address.as_str().split('/').next()?.parse().ok()?;
    match ip {
        IpAddr::V4(v4) => v4.to_string().parse().ok(),
        IpAddr::V6(v6) => format!("[{v6}]").parse().ok(),
    }
}
