//! The validated seed.

use std::{collections::BTreeMap, net::Ipv4Addr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    HEADER,
    network::Interface,
    text::{
        Cidr, Domain, FilePath, HostName, LabelKey, LabelValue, Owner, Pem, Permissions, San, Secret, SshKey, Taint,
    },
};
use crate::{
    cluster_config::{Extra, Node, Wish},
    name::Name,
    node_address::NodeAddress,
    role::Role,
    storage::StorageType,
    token::PreShared,
};

/// What a node is told about itself. Everything may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seed {
    /// The node's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<HostName>,
    /// The node's full name; its first label is the host name if there is no `hostname`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<Domain>,
    /// Who may log in as root where the image has SSH at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh_authorized_keys: Vec<SshKey>,
    /// Files to write at every boot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write_files: Vec<WriteFile>,
    /// Where the time comes from.
    #[serde(skip_serializing_if = "Ntp::is_empty")]
    pub ntp: Ntp,
    /// Always UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Timezone>,
    /// What cloud-init has no words for.
    #[serde(skip_serializing_if = "Section::is_empty")]
    pub skerry: Section,
}

/// Nodes keep UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timezone {
    /// Coordinated universal time.
    #[serde(rename = "UTC", alias = "Etc/UTC")]
    Utc,
}

/// Time servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ntp {
    /// Names or addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<San>,
}

impl Ntp {
    fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Where.
    pub path: FilePath,
    /// What, in the form that `encoding` says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// How the content is written down.
    #[serde(default, skip_serializing_if = "Encoding::is_plain")]
    pub encoding: Encoding,
    /// Permissions; `0644` if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
    /// Owner; root if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Whether the content goes behind what the image's own file holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub append: bool,
}

/// How a file's content is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// As it is.
    #[default]
    #[serde(rename = "text/plain")]
    Plain,
    /// Base64.
    #[serde(rename = "b64", alias = "base64")]
    Base64,
}

impl Encoding {
    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

impl WriteFile {
    /// The bytes to write; `None` if they are no Base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Plain => Some(self.content.clone().into_bytes()),
            Encoding::Base64 => {
                let packed: String = self.content.split_ascii_whitespace().collect();
                STANDARD.decode(packed).ok()
            }
        }
    }
}

/// The `skerry:` section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Section {
    /// What the node is in its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Which workloads a controller runs beside the control plane; none if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workloads: Option<Workloads>,
    /// What keeps the cluster's objects; SQLite if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageType>,
    /// How a worker or a further controller joins; a controller that has the cluster's keys as well asks those that the token
    /// names before it makes the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// Tokens that were made before the cluster ran: a controller makes each known once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<PreShared>,
    /// The cluster's name and keys.
    #[serde(skip_serializing_if = "ClusterIdentity::is_empty")]
    pub cluster: ClusterIdentity,
    /// Interfaces with a configuration of their own; all others use DHCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<Interface>,
    /// Which of its addresses is the node's in its cluster; the one that its default route sends from if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_address: Option<NodeAddress>,
    /// Labels of the node in Kubernetes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Taints of the node in Kubernetes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// The API server.
    #[serde(skip_serializing_if = "Api::is_empty")]
    pub api: Api,
    /// Addresses of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_cidr: Option<Cidr>,
    /// Addresses of Services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_cidr: Option<Cidr>,
    /// The cluster's DNS domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_domain: Option<Domain>,
    /// Whether the API says what nodes and pods use; not if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_server: Option<bool>,
    /// Whether an administrator's kubeconfig may leave the node.
    #[serde(skip_serializing_if = "AdminKubeconfig::is_empty")]
    pub admin_kubeconfig: AdminKubeconfig,
    /// Keys of sk8s' configuration that there are no words for here.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub config: Extra,
}

/// Which workloads a controller runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workloads {
    /// Those that tolerate the taint of a control plane.
    Tolerating,
    /// All.
    All,
}

impl Section {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The configuration of sk8s on a node of that name.
    #[must_use]
    pub fn wish<'a>(&'a self, name: &'a HostName) -> Wish<'a> {
        Wish {
            name: self.cluster.name.as_ref(),
            api_address: self.api.address,
            sans: self.api.sans.clone(),
            pods: self.pod_cidr.as_ref(),
            services: self.service_cidr.as_ref(),
            domain: self.cluster_domain.as_ref(),
            storage: self.storage,
            metrics_server: self.metrics_server,
            node: Node {
                name: Some(name),
                address: self.node_address.as_ref(),
                labels: Some(&self.labels),
                taints: &self.taints,
            },
            extra: self.config.clone(),
        }
    }
}

/// A cluster's name and keys, as `skerry cluster new` makes them. The keys come together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ClusterIdentity {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The cluster's authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_cert: Option<Pem>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_key: Option<Secret>,
    /// The authority for API aggregation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub front_proxy_ca_cert: Option<Pem>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub front_proxy_ca_key: Option<Secret>,
    /// Signs service account tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sa_key: Option<Secret>,
    /// Checks service account tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sa_pub: Option<Pem>,
}

impl ClusterIdentity {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Key, the file in sk8s' PKI folder it becomes, and its content.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &'static str, Option<&str>); 6] {
        let (cert, key) = (Pem::as_str, Secret::reveal);
        [
            ("ca-cert", "ca.crt", self.ca_cert.as_ref().map(cert)),
            ("ca-key", "ca.key", self.ca_key.as_ref().map(key)),
            ("front-proxy-ca-cert", "front-proxy-ca.crt", self.front_proxy_ca_cert.as_ref().map(cert)),
            ("front-proxy-ca-key", "front-proxy-ca.key", self.front_proxy_ca_key.as_ref().map(key)),
            ("sa-key", "sa.key", self.sa_key.as_ref().map(key)),
            ("sa-pub", "sa.pub", self.sa_pub.as_ref().map(cert)),
        ]
    }
}

/// The API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Api {
    /// Where others reach it, on a node with several addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// Further names and addresses that its certificate holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<San>,
}

impl Api {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether an administrator's kubeconfig may leave the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AdminKubeconfig {
    /// Where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<HandOut>,
}

/// Where an administrator's kubeconfig may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandOut {
    /// Onto a FAT medium labelled `SKERRYADMIN` (FAT labels have eleven characters).
    Medium,
}

impl AdminKubeconfig {
    fn is_empty(&self) -> bool {
        self.to.is_none()
    }
}

impl Seed {
    /// The name the node shall have: `hostname`, else the first label of `fqdn`.
    #[must_use]
    pub fn node_name(&self) -> Option<HostName> {
        let first = || self.fqdn.as_ref()?.as_str().split('.').next()?.parse().ok();
        self.hostname.clone().or_else(first)
    }

    /// The seed as a file that a node reads.
    ///
    /// # Errors
    /// Never for a seed that was read; a seed made by hand may hold text that YAML cannot.
    pub fn to_cloud_config(&self) -> Result<String, serde_yaml_ng::Error> {
        Ok(format!("{HEADER}\n{}", serde_yaml_ng::to_string(self)?))
    }
}
