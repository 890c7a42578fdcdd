//! What is said over the streams of a link, and where a node lets itself be called. The decision is pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::config::{DualStack, NodeName, Subnet};

/// The kubelet's port.
pub const KUBELET: u16 = 10250;

/// The first message of a link, from the node: who it is stands in its certificate, where it is stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The node's addresses.
    pub addresses: Vec<IpAddr>,
}

/// The first message of a stream, from the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// A node's name, or an address.
    pub host: String,
    /// A TCP port.
    pub port: u16,
}

/// The answer to a [`Call`]: bytes follow where there is no error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Why there is no connection.
    pub error: Option<String>,
}

/// What a node knows of itself when it is called.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its name.
    pub node: NodeName,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Where pods and services are.
    pub ranges: Ranges,
}

/// The addresses of pods and services.
#[derive(Clone, Copy, Debug)]
pub struct Ranges {
    /// Where pods are.
    pub pods: Subnet,
    /// Where services are.
    pub services: Subnet,
    /// Where both are in IPv6, if there is.
    pub dual: Option<DualStack>,
}

impl Ranges {
    /// Whether an address is a pod's or a service's.
    #[must_use]
    pub fn contain(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => self.pods.contains(v4) || self.services.contains(v4),
            IpAddr::V6(v6) => self.dual.is_some_and(|dual| dual.pods.contains(v6) || dual.services.contains(v6)),
        }
    }
}

/// A call that a node does not take.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotTaken {
    /// It is for somebody else.
    #[error("`{0}` is not this node")]
    OtherNode(String),
    /// It is neither the node nor in the cluster's networks.
    #[error("{0} is neither this node nor in the cluster's networks")]
    Outside(IpAddr),
}

impl Own {
    /// Where a call is to be connected. The kubelet listens on loopback alone; nothing else there can be called.
    ///
    /// # Errors
    /// If the call is not for this node or the pods and services that it reaches.
    pub fn address(&self, call: &Call) -> Result<SocketAddr, NotTaken> {
        let own = |port| match port {
            KUBELET => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ => self.addresses.first().copied(),
        };
        let bare = call.host.trim_start_matches('[').trim_end_matches(']');
        let Ok(ip) = bare.parse::<IpAddr>() else {
            if bare != self.node.as_str() {
                return Err(NotTaken::OtherNode(bare.chars().take(80).collect()));
            }
            let ip = own(call.port).ok_or_else(|| NotTaken::OtherNode(bare.to_owned()))?;
            return Ok(SocketAddr::new(ip, call.port));
        };
        if self.addresses.contains(&ip) {
            let ip = if call.port == KUBELET { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
            return Ok(SocketAddr::new(ip, call.port));
        }
        if self.serves(ip) { Ok(SocketAddr::new(ip, call.port)) } else { Err(NotTaken::Outside(ip)) }
    }

    /// Whether an address is a pod's or a service's.
    #[must_use]
    pub fn serves(&self, ip: IpAddr) -> bool {
        self.ranges.contain(ip)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{Call, Own, Ranges};

    /// What a node of a usual cluster knows of itself, at 192.0.2.`last`.
    pub fn own_of(node: &str, last: u8) -> Own {
        Own {
            node: node.parse().expect("valid"),
            addresses: vec![[192, 0, 2, last].into()],
            ranges: Ranges {
                pods: "10.244.0.0/16".parse().expect("valid"),
                services: "10.96.0.0/16".parse().expect("valid"),
                dual: None,
            },
        }
    }

    fn own() -> Own {
        own_of("barn", 7)
    }

    fn call(host: &str, port: u16) -> Result<String, String> {
        let address = own().address(&Call { host: host.to_owned(), port });
        address.map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_kubelet_is_called_by_the_nodes_name_or_address() {
        assert_eq!(call("barn", 10250).as_deref(), Ok("127.0.0.1:10250"));
        assert_eq!(call("192.0.2.7", 10250).as_deref(), Ok("127.0.0.1:10250"));
        assert_eq!(call("192.0.2.7", 9443).as_deref(), Ok("192.0.2.7:9443"));
        assert_eq!(call("barn", 9443).as_deref(), Ok("192.0.2.7:9443"));
    }

    #[test]
    fn pods_and_services_are_reached_and_nothing_else() {
        assert_eq!(call("10.244.3.4", 8080).as_deref(), Ok("10.244.3.4:8080"));
        assert_eq!(call("10.96.0.10", 53).as_deref(), Ok("10.96.0.10:53"));
        assert!(call("198.51.100.1", 80).is_err());
        assert_eq!(call("shed", 10250), Err("`shed` is not this node".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_on_loopback_but_the_kubelet_can_be_called(host in "\\PC{0,20}", last in 0_u8..=255, port: u16) {
            for host in [host, format!("127.0.0.{last}"), "::1".to_owned(), "barn".to_owned()] {
                if let Ok(address) = own().address(&Call { host, port }) {
                    prop_assert!(!address.ip().is_loopback() || address.port() == 10250);
                }
            }
        }
    }
}
