//! The validated configuration: every value of a type that cannot hold a wrong one.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use skerry_formats::name::{BadName, Name};

use super::{
    node::{BadNode, Label, NodeName, Taint, is_subdomain},
    raw::Raw,
    storage::{BadStorage, Storage},
    subnet::{BadSubnet, Subnet},
};
use crate::backup::{BadSnapshots, Snapshots};

/// A value that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// `metadata.name`.
    #[error("metadata.name")]
    Name(#[source] BadName),
    /// A network.
    #[error("{key}")]
    Subnet {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        #[source]
        source: BadSubnet,
    },
    /// Pods and services would share addresses.
    #[error("spec.network: podCIDR `{pods}` and serviceCIDR `{services}` overlap")]
    Overlap {
        /// Pods.
        pods: Subnet,
        /// Services.
        services: Subnet,
    },
    /// `spec.storage`.
    #[error("spec.storage")]
    Storage(#[source] BadStorage),
    /// `spec.storage.snapshots`.
    #[error("spec.storage")]
    Snapshots(#[source] BadSnapshots),
    /// `spec.node`.
    #[error("spec.node")]
    Node(#[source] BadNode),
    /// A DNS name or address.
    #[error("{key}: neither an address nor a DNS name: `{text}`")]
    Host {
        /// Which key.
        key: &'static str,
        /// What was written.
        text: String,
    },
}

/// A DNS domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

/// A name or address that a certificate is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum San {
    /// A DNS name.
    Dns(Domain),
    /// An address.
    Ip(IpAddr),
}

/// What a node is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The cluster's name.
    pub cluster: Name,
    /// This node's name.
    pub node: NodeName,
    /// Labels it registers with.
    pub labels: Vec<Label>,
    /// Taints it registers with.
    pub taints: Vec<Taint>,
    /// What the API server's certificate is good for, beyond what the node finds out by itself.
    pub sans: Vec<San>,
    /// Where pods get their addresses.
    pub pods: Subnet,
    /// Where services get their addresses.
    pub services: Subnet,
    /// The cluster's DNS domain.
    pub domain: Domain,
    /// Where objects are kept.
    pub storage: Storage,
    /// Backups that a controller makes by itself.
    pub snapshots: Option<Snapshots>,
}

impl Settings {
    /// Checks a merged configuration; `host_name` names the node where the configuration does not.
    ///
    /// # Errors
    /// The first value that cannot be, with its key.
    pub fn validate(raw: &Raw, host_name: &str) -> Result<Self, Invalid> {
        let network = &raw.spec.network;
        let pods = subnet("spec.network.podCIDR", network.pod_cidr.as_deref(), "10.244.0.0/16")?;
        let services = subnet("spec.network.serviceCIDR", network.service_cidr.as_deref(), "10.96.0.0/16")?;
        if pods.overlaps(services) {
            return Err(Invalid::Overlap { pods, services });
        }
        let node = &raw.spec.node;
        let labels = node.labels.iter().flatten().map(|(key, value)| Label::new(key, value));
        let taints = node.taints.iter().flatten().map(|text| text.parse());
        let sans = raw.spec.api.sans.iter().flatten().map(|text| text.parse());
        let first = |mut problems: Vec<BadStorage>| Invalid::Storage(problems.swap_remove(0));
        let domain = network.cluster_domain.as_deref().unwrap_or("cluster.local");
        Ok(Self {
            cluster: raw.metadata.name.as_deref().unwrap_or("skerry").parse().map_err(Invalid::Name)?,
            node: node.name.as_deref().unwrap_or(host_name).parse().map_err(Invalid::Node)?,
            labels: labels.collect::<Result<_, _>>().map_err(Invalid::Node)?,
            taints: taints.collect::<Result<_, _>>().map_err(Invalid::Node)?,
            sans: sans.collect::<Result<_, _>>()?,
            pods,
            services,
            storage: Storage::validate(&raw.spec.storage).map_err(first)?,
            snapshots: Snapshots::validate(&raw.spec.storage.snapshots).map_err(Invalid::Snapshots)?,
            domain: Domain::new(domain)
                .ok_or_else(|| Invalid::Host { key: "spec.network.clusterDomain", text: domain.to_owned() })?,
        })
    }

    /// The address of the cluster's DNS service.
    #[must_use]
    pub fn dns_address(&self) -> Ipv4Addr {
        let last = (1_u32 << (32 - self.services.prefix())) - 2;
        self.services.address(last.min(10))
    }

    /// The address of the `kubernetes` service.
    #[must_use]
    pub fn api_address(&self) -> Ipv4Addr {
        self.services.address(1)
    }
}

fn subnet(key: &'static str, text: Option<&str>, default: &str) -> Result<Subnet, Invalid> {
    text.unwrap_or(default).parse().map_err(|source| Invalid::Subnet { key, source })
}

impl Domain {
    fn new(text: &str) -> Option<Self> {
        is_subdomain(text).then(|| Self(text.to_owned()))
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for San {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        Domain::new(text).map(Self::Dns).ok_or_else(|| Invalid::Host { key: "spec.api.sans", text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Raw, Settings};

    fn settings(yaml: &str) -> Result<Settings, super::Invalid> {
        Settings::validate(&Raw::parse(yaml).expect("well-formed"), "barn")
    }

    #[test]
    fn the_defaults_are_a_whole_configuration() {
        let settings = settings("").expect("valid");
        assert_eq!(settings.node.as_str(), "barn");
        assert_eq!(settings.cluster.as_str(), "skerry");
        assert_eq!(settings.api_address().to_string(), "10.96.0.1");
        assert_eq!(settings.dns_address().to_string(), "10.96.0.10");
    }

    #[test]
    fn overlapping_networks_are_refused() {
        let error = settings("spec: {network: {podCIDR: 10.96.0.0/12}}").expect_err("overlap").to_string();
        assert_eq!(error, "spec.network: podCIDR `10.96.0.0/12` and serviceCIDR `10.96.0.0/16` overlap");
    }

    #[test]
    fn a_tiny_service_network_still_has_a_dns_address_of_its_own() {
        let settings = settings("spec: {network: {serviceCIDR: 10.96.0.0/29}}").expect("valid");
        assert_eq!(settings.dns_address().to_string(), "10.96.0.6");
    }

    #[test]
    fn a_san_is_an_address_or_a_name() {
        assert!(settings("spec: {api: {sans: [192.0.2.1, 'fd00::1', shed.example]}}").is_ok());
        let error = settings("spec: {api: {sans: ['a b']}}").expect_err("no name").to_string();
        assert_eq!(error, "spec.api.sans: neither an address nor a DNS name: `a b`");
    }
}
