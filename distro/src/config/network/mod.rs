//! Addresses of pods and services, and who carries packets between them: `spec.network`.

mod dual;
mod provider;
mod proxy;

use serde::{Deserialize, Serialize};

use super::{
    host::{BadHost, Domain},
    raw::absent,
    subnet::{BadSubnet, Subnet},
};
pub use dual::{BadDualStack, DualStack, RawDualStack};
pub use provider::{Backend, BadProvider, Flannel, Provider, RawFlannel};
pub use proxy::{BadProxy, Proxy, ProxyMode, RawProxy, Tuning};

/// The cluster's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Where pods get their addresses.
    pub pods: Subnet,
    /// Where services get their addresses.
    pub services: Subnet,
    /// IPv6 beside IPv4, if there is.
    pub dual: Option<DualStack>,
    /// The cluster's DNS domain.
    pub domain: Domain,
    /// Who connects pods.
    pub provider: Provider,
    /// kube-proxy; `None` if something else does its work.
    pub proxy: Option<Proxy>,
}

/// `spec.network` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawNetwork {
    /// `flannel`, `custom` or `none`.
    pub provider: Option<String>,
    /// With provider `flannel`.
    #[serde(default, deserialize_with = "absent")]
    pub flannel: RawFlannel,
    /// Where pods get their addresses.
    #[serde(rename = "podCIDR")]
    pub pod_cidr: Option<String>,
    /// Where services get their addresses.
    #[serde(rename = "serviceCIDR")]
    pub service_cidr: Option<String>,
    /// DNS domain of the cluster.
    pub cluster_domain: Option<String>,
    /// IPv6 beside IPv4.
    #[serde(default, deserialize_with = "absent")]
    pub dual_stack: RawDualStack,
    /// kube-proxy.
    #[serde(default, deserialize_with = "absent")]
    pub kube_proxy: RawProxy,
}

/// A network that cannot be. Display begins with the key below `spec.network`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadNetwork {
    /// A range of addresses.
    #[error("{key}")]
    Subnet {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        #[source]
        source: BadSubnet,
    },
    /// Pods and services would share addresses.
    #[error("podCIDR `{pods}` and serviceCIDR `{services}` overlap")]
    Overlap {
        /// Pods.
        pods: Subnet,
        /// Services.
        services: Subnet,
    },
    /// No domain.
    #[error("clusterDomain")]
    Domain(#[source] BadHost),
    /// Who connects pods.
    #[error(transparent)]
    Provider(BadProvider),
    /// kube-proxy.
    #[error("kubeProxy")]
    Proxy(#[source] BadProxy),
    /// IPv6 beside IPv4.
    #[error(transparent)]
    DualStack(BadDualStack),
}

impl Network {
    /// Checks `spec.network`.
    ///
    /// # Errors
    /// Every value that cannot be.
    pub fn validate(raw: &RawNetwork) -> Result<Self, Vec<BadNetwork>> {
        let mut problems = Vec::new();
        let pods = subnet("podCIDR", raw.pod_cidr.as_deref().unwrap_or("10.244.0.0/16"), &mut problems);
        let services = subnet("serviceCIDR", raw.service_cidr.as_deref().unwrap_or("10.96.0.0/16"), &mut problems);
        if let (Some(pods), Some(services)) = (pods, services)
            && pods.overlaps(services)
        {
            problems.push(BadNetwork::Overlap { pods, services });
        }
        let domain = raw.cluster_domain.as_deref().unwrap_or("cluster.local").parse();
        let domain: Option<Domain> = domain.map_err(|bad| problems.push(BadNetwork::Domain(bad))).ok();
        let provider =
            Provider::validate(raw).map_err(|bad| problems.extend(bad.into_iter().map(BadNetwork::Provider)));
        let proxy = Proxy::validate(&raw.kube_proxy);
        let proxy = proxy.map_err(|bad| problems.extend(bad.into_iter().map(BadNetwork::Proxy)));
        let dual = DualStack::validate(&raw.dual_stack).map_err(|bad| problems.push(BadNetwork::DualStack(bad)));
        match (pods, services, dual, domain, provider, proxy) {
            (Some(pods), Some(services), Ok(dual), Some(domain), Ok(provider), Ok(proxy)) if problems.is_empty() => {
                Ok(Self { pods, services, dual, domain, provider, proxy })
            }
            _ => Err(problems),
        }
    }
}

fn subnet(key: &'static str, text: &str, problems: &mut Vec<BadNetwork>) -> Option<Subnet> {
    text.parse().map_err(|source| problems.push(BadNetwork::Subnet { key, source })).ok()
}

#[cfg(test)]
mod tests {
    use super::{Backend, Flannel, Network, Provider, ProxyMode, RawNetwork};

    fn network(yaml: &str) -> Result<Network, Vec<String>> {
        let raw = serde_yaml_ng::from_str::<RawNetwork>(yaml).expect("well-formed");
        Network::validate(&raw).map_err(|bad| bad.iter().map(|bad| crate::supervisor::chain(bad)).collect())
    }

    fn refusal(yaml: &str) -> String {
        network(yaml).expect_err("refused").join("\n")
    }

    #[test]
    fn the_defaults_are_flannel_over_vxlan_and_nftables() {
        let network = network("{}").expect("valid");
        let flannel = Flannel { backend: Backend::Vxlan { port: 8472, vni: 1 }, mtu: None };
        assert_eq!(network.provider, Provider::Flannel(flannel));
        assert!(network.proxy.is_some_and(|proxy| proxy.mode == ProxyMode::Nftables));
    }

    #[test]
    fn overlapping_ranges_are_refused() {
        let text = "podCIDR `10.96.0.0/12` and serviceCIDR `10.96.0.0/16` overlap";
        assert_eq!(refusal("{podCIDR: 10.96.0.0/12}"), text);
    }

    #[test]
    fn every_problem_is_told() {
        let text = refusal("{podCIDR: x, clusterDomain: '.', provider: calico, kubeProxy: {mode: ipvs}}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
