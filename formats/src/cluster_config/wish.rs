//! What a configuration is made of. Pure.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::Serialize;
use serde_yaml_ng::{Mapping, Value};

use super::{API_VERSION, Extra, KIND, extra::over};
use crate::{
    name::Name,
    node_address::NodeAddress,
    seed::{Cidr, Domain, HostName, LabelKey, LabelValue, San, Taint},
    storage::StorageType,
};

/// What a node's sk8s is to be told. What is not said here is left out, and has sk8s' default or what its cluster says.
#[derive(Clone, Debug, Default)]
pub struct Wish<'a> {
    /// The cluster's name.
    pub name: Option<&'a Name>,
    /// Where others reach this controller.
    pub api_address: Option<Ipv4Addr>,
    /// Further names and addresses of the API's certificate.
    pub sans: Vec<San>,
    /// Addresses of pods.
    pub pods: Option<&'a Cidr>,
    /// Addresses of Services.
    pub services: Option<&'a Cidr>,
    /// The DNS domain.
    pub domain: Option<&'a Domain>,
    /// What keeps the cluster's objects.
    pub storage: Option<StorageType>,
    /// Whether metrics-server runs.
    pub metrics_server: Option<bool>,
    /// This node.
    pub node: Node<'a>,
    /// Everything else.
    pub extra: Extra,
}

/// What a node is to be told of itself.
#[derive(Clone, Debug, Default)]
pub struct Node<'a> {
    /// Its name.
    pub name: Option<&'a HostName>,
    /// Which of its addresses is its own.
    pub address: Option<&'a NodeAddress>,
    /// Labels that it registers with.
    pub labels: Option<&'a BTreeMap<LabelKey, LabelValue>>,
    /// Taints that it registers with.
    pub taints: &'a [Taint],
}

impl Wish<'_> {
    /// The text of the configuration.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let network = map([
            ("podCIDR", value(self.pods)),
            ("serviceCIDR", value(self.services)),
            ("clusterDomain", value(self.domain)),
        ]);
        let spec = map([
            ("api", map([("address", value(self.api_address)), ("sans", list(&self.sans))])),
            ("network", network),
            ("storage", self.storage()),
            ("metricsServer", map([("enabled", value(self.metrics_server))])),
            ("node", self.node.value()),
        ]);
        let spec = match spec {
            Some(Value::Mapping(spec)) => over(self.extra.keys().clone(), spec),
            _ => self.extra.keys().clone(),
        };
        let whole = map([
            ("apiVersion", value(Some(API_VERSION))),
            ("kind", value(Some(KIND))),
            ("metadata", map([("name", value(self.name))])),
            ("spec", (!spec.is_empty()).then_some(Value::Mapping(spec))),
        ]);
        // Maps, lists and texts: there is nothing here that YAML cannot say.
        serde_yaml_ng::to_string(&whole).unwrap_or_default()
    }

    /// A controller's own member of etcd is reached where everybody reaches the controller, unless its node has an address of
    /// its own choice.
    fn storage(&self) -> Option<Value> {
        let own = self.storage == Some(StorageType::Etcd) && !self.extra.names_an_etcd();
        let peer = self.api_address.filter(|_| own && self.node.address.is_none());
        map([("type", value(self.storage)), ("etcd", map([("peerAddress", value(peer))]))])
    }
}

impl Node<'_> {
    fn value(&self) -> Option<Value> {
        map([
            ("name", value(self.name)),
            ("address", value(self.address)),
            ("labels", value(self.labels.filter(|labels| !labels.is_empty()))),
            ("taints", list(self.taints)),
        ])
    }
}

/// The keys that have a value; nothing if none has.
fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Option<Value> {
    let there = pairs.into_iter().filter_map(|(key, value)| Some((Value::from(key), value?)));
    let map: Mapping = there.collect();
    (!map.is_empty()).then_some(Value::Mapping(map))
}

fn value<T: Serialize>(given: Option<T>) -> Option<Value> {
    serde_yaml_ng::to_value(given?).ok()
}

fn list<T: Serialize>(given: &[T]) -> Option<Value> {
    value((!given.is_empty()).then_some(given))
}

#[cfg(test)]
mod tests {
    use super::{Node, Wish};
    use crate::{cluster_config::Extra, storage::StorageType};

    fn extra(yaml: &str) -> Extra {
        serde_yaml_ng::from_str(yaml).unwrap()
    }

    #[test]
    fn what_is_passed_on_stands_beside_what_has_words_of_its_own() {
        let (name, pods) = ("home".parse().unwrap(), "10.42.0.0/16".parse().unwrap());
        let wish = Wish {
            name: Some(&name),
            pods: Some(&pods),
            extra: extra("{network: {provider: custom}, featureGates: [{name: WatchList, enabled: true}]}"),
            ..Wish::default()
        };
        let wanted = "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\nmetadata:\n  name: home\nspec:\n  network:\n    \
                      podCIDR: 10.42.0.0/16\n    provider: custom\n  featureGates:\n  - name: WatchList\n    enabled: true\n";
        assert_eq!(wish.to_yaml(), wanted);
    }

    #[test]
    fn a_member_of_the_clusters_own_etcd_is_told_where_it_is_reached() {
        let address = Some([192, 168, 1, 11].into());
        let wish = |extra| Wish { api_address: address, storage: Some(StorageType::Etcd), extra, ..Wish::default() };
        assert!(wish(Extra::default()).to_yaml().contains("peerAddress: 192.168.1.11"));
        let external = extra("{storage: {etcd: {externalCluster: {endpoints: ['https://a:2379']}}}}");
        assert!(!wish(external).to_yaml().contains("peerAddress"));
        let chosen = "eth1".parse().unwrap();
        let elsewhere = Wish { node: Node { address: Some(&chosen), ..Node::default() }, ..wish(Extra::default()) };
        assert!(!elsewhere.to_yaml().contains("peerAddress"));
    }

    #[test]
    fn a_wish_for_nothing_is_a_configuration_without_keys() {
        assert_eq!(Wish::default().to_yaml(), "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\n");
    }
}
