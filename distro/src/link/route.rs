//! Over which way kube-apiserver's calls go to nodes, pods and services. Pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::call::{Call, NotTaken, Own};
use crate::{component::METRICS_PORT, config::NodeName, duty::Duty};

/// What kube-apiserver calls the metrics-server beside it by: no node can have such a name.
pub const METRICS_SERVER: &str = "metrics-server.sk8s.internal";

/// A way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// From here.
    Direct(SocketAddr),
    /// Over the link of one of these nodes, the first that answers; there is at least one.
    Over(Vec<NodeName>),
}

/// There is no way.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoRoute {
    /// The node is not linked with this controller.
    #[error("node `{0}` has no link to this controller: it is off, or cannot reach port 6443 here")]
    NotLinked(String),
    /// No node is linked that could reach it.
    #[error("{0} is in the cluster's networks, and no node that could reach it has a link to this controller")]
    NoNode(IpAddr),
    /// It is nobody's address.
    #[error(transparent)]
    Outside(#[from] NotTaken),
}

/// The way to what was asked for. A node that is on the pods' network itself goes there directly; another one goes over the
/// node that has the address, or over any for pods and services, which all nodes reach. `linked` are in the order in which they
/// are to be asked.
///
/// # Errors
/// If there is none.
pub fn route<'a>(
    call: &Call,
    (duty, own): (Duty, &Own),
    linked: impl IntoIterator<Item = (&'a NodeName, &'a [IpAddr])>,
) -> Result<Route, NoRoute> {
    let bare = call.host.trim_start_matches('[').trim_end_matches(']');
    let mut linked = linked.into_iter();
    let Ok(ip) = bare.parse::<IpAddr>() else {
        if bare == METRICS_SERVER && call.port == METRICS_PORT {
            return Ok(Route::Direct(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), METRICS_PORT)));
        }
        if duty.works() && bare == own.node.as_str() {
            return Ok(Route::Direct(own.address(call)?));
        }
        let name = linked.map(|(name, _)| name).find(|name| name.as_str() == bare);
        return name.map(over).ok_or_else(|| NoRoute::NotLinked(bare.chars().take(80).collect()));
    };
    if own.addresses.contains(&ip) || (duty.works() && own.serves(ip)) {
        return Ok(Route::Direct(own.address(call)?));
    }
    if own.serves(ip) {
        let nodes: Vec<NodeName> = linked.map(|(name, _)| name.clone()).collect();
        return if nodes.is_empty() { Err(NoRoute::NoNode(ip)) } else { Ok(Route::Over(nodes)) };
    }
    // Two nodes behind two routers may have one address: one that is not meant could answer in the other's place.
    let holder = linked.find(|(_, addresses)| addresses.contains(&ip));
    holder.map(|(name, _)| over(name)).ok_or(NoRoute::Outside(NotTaken::Outside(ip)))
}

fn over(node: &NodeName) -> Route {
    Route::Over(vec![node.clone()])
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{METRICS_SERVER, Route, route};
    use crate::{
        config::NodeName,
        duty::Duty,
        link::call::{Call, Own, tests::own_of},
    };

    fn own() -> Own {
        own_of("tower", 1)
    }

    fn way(duty: Duty, host: &str, linked: &[&str]) -> Result<String, String> {
        let own = own();
        let names: Vec<NodeName> = linked.iter().map(|name| name.parse().expect("valid")).collect();
        let behind_nat: [IpAddr; 1] = [[10, 0, 2, 15].into()];
        let nodes = names.iter().map(|name| (name, &behind_nat[..]));
        match route(&Call { host: host.to_owned(), port: 10250 }, (duty, &own), nodes) {
            Ok(Route::Direct(address)) => Ok(format!("direct {address}")),
            Ok(Route::Over(nodes)) => {
                Ok(format!("over {}", nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_node_is_called_over_its_own_link() {
        assert_eq!(way(Duty::Controller, "barn", &["barn", "shed"]).as_deref(), Ok("over barn"));
        let missing = way(Duty::Controller, "mill", &["barn"]).expect_err("not linked");
        assert_eq!(missing, "node `mill` has no link to this controller: it is off, or cannot reach port 6443 here");
    }

    #[test]
    fn a_controller_without_pods_reaches_them_over_a_node() {
        assert_eq!(way(Duty::Controller, "10.244.1.2", &["barn"]).as_deref(), Ok("over barn"));
        assert_eq!(way(Duty::Controller, "10.96.0.10", &["shed", "barn"]).as_deref(), Ok("over shed, barn"));
        assert_eq!(way(Duty::Controller, "10.0.2.15", &["barn"]).as_deref(), Ok("over barn"));
        assert_eq!(way(Duty::Controller, "10.0.2.15", &["barn", "shed"]).as_deref(), Ok("over barn"), "not any");
        assert!(way(Duty::Controller, "10.244.1.2", &[]).is_err());
        assert!(way(Duty::Controller, "198.51.100.9", &["barn"]).is_err());
        assert!(way(Duty::Controller, "tower", &["barn"]).is_err(), "it has no kubelet");
    }

    #[test]
    fn the_metrics_server_is_the_one_beside_and_nothing_else_is_there() {
        let call = |port| {
            let call = Call { host: METRICS_SERVER.to_owned(), port };
            route(&call, (Duty::Controller, &own()), [])
        };
        assert_eq!(call(10262), Ok(Route::Direct(([127, 0, 0, 1], 10262).into())));
        assert!(call(10250).is_err() && call(6443).is_err());
    }

    #[test]
    fn a_node_that_is_all_in_one_needs_no_link() {
        assert_eq!(way(Duty::Single, "tower", &[]).as_deref(), Ok("direct 127.0.0.1:10250"));
        assert_eq!(way(Duty::Single, "10.244.0.9", &[]).as_deref(), Ok("direct 10.244.0.9:10250"));
        assert_eq!(way(Duty::ControllerWorker, "10.96.0.10", &["barn"]).as_deref(), Ok("direct 10.96.0.10:10250"));
    }
}
