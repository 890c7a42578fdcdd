//! `sk8s ports`: which ports a node listens on, and for whom. A test scans nodes and compares.

use crate::{component::METRICS_PORT, duty::Duty};

/// Flags of `sk8s ports`.
#[derive(Debug, clap::Args)]
pub struct PortsArgs {
    /// For which node
    #[arg(default_value = "controller", value_parser = ["controller", "controller+worker", "single", "worker"])]
    node: String,
}

/// Who can reach a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Other machines.
    Others,
    /// Other controllers of the cluster, while there are some.
    Controllers,
    /// The node itself.
    Loopback,
}

/// A TCP port that a node listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// Who can reach it.
    pub reach: Reach,
    /// Whose it is.
    pub owner: &'static str,
    /// What for.
    pub purpose: &'static str,
}

const fn port(number: u16, reach: Reach, owner: &'static str, purpose: &'static str) -> Port {
    Port { number, reach, owner, purpose }
}

const CONTROL: [Port; 5] = [
    port(6443, Reach::Others, "sk8s", "the API, joining nodes, links to nodes"),
    port(6443, Reach::Loopback, "kube-apiserver", "the API"),
    port(10257, Reach::Loopback, "kube-controller-manager", "health and metrics"),
    port(10259, Reach::Loopback, "kube-scheduler", "health and metrics"),
    port(METRICS_PORT, Reach::Loopback, "metrics-server", "kube-apiserver, with `spec.metricsServer.enabled`"),
];

const WORK: [Port; 4] = [
    port(10248, Reach::Loopback, "kubelet", "health"),
    port(10249, Reach::Loopback, "kube-proxy", "metrics"),
    port(10250, Reach::Loopback, "kubelet", "logs and exec, through the link"),
    port(10256, Reach::Loopback, "kube-proxy", "health"),
];

/// Only where controllers share an etcd of their own.
const ETCD: [Port; 3] = [
    port(2379, Reach::Loopback, "etcd", "kube-apiserver, with storage `etcd`"),
    port(2380, Reach::Controllers, "etcd", "other controllers' etcd, while there are some"),
    port(2381, Reach::Loopback, "etcd", "health and metrics, with storage `etcd`"),
];

const BALANCER: Port = port(6443, Reach::Loopback, "sk8s", "the API, at whichever controller answers");

/// The TCP ports of a node with fixed numbers. containerd and its clients use one more on loopback, for streams of exec,
/// whose number the kernel chooses.
#[must_use]
pub fn ports(duty: Duty) -> Vec<Port> {
    let mut all = Vec::new();
    if duty.controls() {
        all.extend(CONTROL);
        if duty.admits() {
            all.extend(ETCD);
        }
    } else {
        all.push(BALANCER);
    }
    if duty.works() {
        all.extend(WORK);
    }
    all
}

/// The table.
pub fn obey(args: &PortsArgs) -> String {
    let duty = match args.node.as_str() {
        "worker" => Duty::Worker,
        "single" => Duty::Single,
        "controller+worker" => Duty::ControllerWorker,
        _ => Duty::Controller,
    };
    let mut text = format!("{:<7}{:<13}{:<25}PURPOSE\n", "TCP", "FOR", "OWNER");
    for Port { number, reach, owner, purpose } in ports(duty) {
        let reach = match reach {
            Reach::Others => "others",
            Reach::Controllers => "controllers",
            Reach::Loopback => "loopback",
        };
        text.push_str(&format!("{number:<7}{reach:<13}{owner:<25}{purpose}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Reach, ports};
    use crate::duty::Duty;

    #[test]
    fn a_controller_opens_one_port_and_a_worker_none() {
        let open = |duty| ports(duty).into_iter().filter(|port| port.reach == Reach::Others).map(|port| port.number);
        for duty in [Duty::Controller, Duty::ControllerWorker, Duty::Single] {
            assert_eq!(open(duty).collect::<Vec<_>>(), [6443]);
        }
        assert_eq!(open(Duty::Worker).count(), 0);
    }
}
