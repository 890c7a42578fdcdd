//! `sk8s ports`: which ports a node listens on, and for whom. A test scans nodes and compares.

use crate::{
    component::{ComponentId, FLANNEL_PORT, METRICS_PORT},
    config::{Backend, Flannel, Provider},
    duty::Duty,
};

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
    /// Other nodes of the cluster that run pods.
    Nodes,
    /// The node itself.
    Loopback,
}

/// A port that a node listens on.
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

/// Only where pods of several nodes are connected by sk8s.
const FLANNEL: Port = port(FLANNEL_PORT, Reach::Loopback, "flannel", "health");

/// Only where the cluster's objects are in an etcd of its own.
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
        all.extend(ETCD);
    } else {
        all.push(BALANCER);
    }
    if duty.works() {
        all.extend(WORK);
    }
    if ComponentId::Flannel.runs_on(duty) {
        all.push(FLANNEL);
    }
    all
}

/// The UDP ports of a node: those by which the kernel takes packets of other nodes' pods.
#[must_use]
pub fn datagrams(duty: Duty, provider: &Provider) -> Vec<Port> {
    let purpose = "VXLAN between pods of different nodes, at `spec.network.flannel.port`";
    match provider {
        Provider::Flannel(Flannel { backend: Backend::Vxlan { port: number, .. }, .. })
            if ComponentId::Flannel.runs_on(duty) =>
        {
            vec![port(*number, Reach::Nodes, "flannel", purpose)]
        }
        _ => Vec::new(),
    }
}

/// The tables, for a cluster whose pods are connected so.
pub fn obey(args: &PortsArgs, provider: &Provider) -> String {
    let duty = match args.node.as_str() {
        "worker" => Duty::Worker,
        "single" => Duty::Single,
        "controller+worker" => Duty::ControllerWorker,
        _ => Duty::Controller,
    };
    table("TCP", &ports(duty)) + &table("UDP", &datagrams(duty, provider))
}

fn table(protocol: &str, ports: &[Port]) -> String {
    if ports.is_empty() {
        return String::new();
    }
    let mut text = format!("{protocol:<7}{:<13}{:<25}PURPOSE\n", "FOR", "OWNER");
    for Port { number, reach, owner, purpose } in ports {
        let reach = match reach {
            Reach::Others => "others",
            Reach::Controllers => "controllers",
            Reach::Nodes => "nodes",
            Reach::Loopback => "loopback",
        };
        text.push_str(&format!("{number:<7}{reach:<13}{owner:<25}{purpose}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, net::SocketAddr};

    use super::{Port, PortsArgs, Reach, datagrams, obey, ports};
    use crate::{
        component::{ComponentSpec, Plan, Probe, components, tests::machine},
        config::{Raw, Settings},
        duty::Duty,
        paths::Paths,
        peers::Known,
    };

    const DUTIES: [Duty; 4] = [Duty::Controller, Duty::ControllerWorker, Duty::Single, Duty::Worker];

    fn settings(spec: &str) -> Settings {
        Settings::validate(&Raw::parse(&format!("spec: {spec}")).expect("well-formed"), "barn").expect("valid")
    }

    /// The ports that a component is told to listen at, or is asked at.
    fn listens(spec: &ComponentSpec) -> BTreeSet<u16> {
        let probed = match spec.probe {
            Probe::Tls(port) | Probe::Plain(port) | Probe::Etcd(port) | Probe::Node(port) => Some(port),
            Probe::Grpc(_) | Probe::Api => None,
        };
        let told = spec.args.iter().filter_map(|arg| {
            let (flag, value) = arg.split_once('=')?;
            match flag {
                "--secure-port" => value.parse().ok(),
                "--healthz-address" => value.parse::<SocketAddr>().ok().map(|address| address.port()),
                _ if flag.starts_with("--listen-") => value.rsplit_once(':')?.1.parse().ok(),
                _ => None,
            }
        });
        probed.into_iter().chain(told).collect()
    }

    #[test]
    fn what_components_listen_at_is_in_the_table_and_theirs_alone() {
        for (duty, storage) in DUTIES.into_iter().flat_map(|duty| ["kine", "etcd"].map(|storage| (duty, storage))) {
            let settings = settings(&format!("{{storage: {{type: {storage}}}, metricsServer: {{enabled: true}}}}"));
            let (paths, machine, known) = (Paths::default(), machine(), Known::default());
            let plan =
                Plan { duty, settings: &settings, paths: &paths, machine: &machine, known: &known, pause: "pause" };
            let mut taken = BTreeSet::new();
            for (owner, number) in
                components(&plan).iter().flat_map(|spec| listens(spec).into_iter().map(|n| (spec.id, n)))
            {
                let listed = |port: &Port| port.number == number && port.owner == owner.as_str();
                assert!(ports(duty).iter().any(listed), "{duty}: {owner} listens at {number}");
                assert!(taken.insert(number), "{duty}: {number} is another's");
            }
        }
    }

    #[test]
    fn no_two_listeners_on_loopback_have_one_number() {
        for duty in DUTIES {
            let mut taken = BTreeSet::new();
            for port in ports(duty).into_iter().filter(|port| port.reach == Reach::Loopback) {
                assert!(taken.insert(port.number), "{duty}: {port:?}");
            }
        }
    }

    #[test]
    fn pods_of_several_nodes_are_connected_at_the_configured_port() {
        let numbers = |duty, spec: &str| {
            datagrams(duty, &settings(spec).provider).iter().map(|port| port.number).collect::<Vec<_>>()
        };
        for duty in [Duty::ControllerWorker, Duty::Worker] {
            assert_eq!(numbers(duty, "{}"), [8472]);
            assert_eq!(numbers(duty, "{network: {flannel: {port: 4789}}}"), [4789]);
            assert_eq!(numbers(duty, "{network: {flannel: {backend: host-gw}}}"), [0_u16; 0]);
            assert_eq!(numbers(duty, "{network: {provider: custom}}"), [0_u16; 0]);
        }
        for duty in [Duty::Controller, Duty::Single] {
            assert_eq!(numbers(duty, "{}"), [0_u16; 0]);
        }
    }

    #[test]
    fn the_tables_are_the_golden_ones() {
        let provider = settings("{}").provider;
        let table = |duty: Duty| format!("== {duty}\n{}", obey(&PortsArgs { node: duty.to_string() }, &provider));
        crate::golden::check("ports.txt", &DUTIES.map(table).concat());
    }

    #[test]
    fn a_controller_opens_one_port_and_a_worker_none() {
        let open = |duty| ports(duty).into_iter().filter(|port| port.reach == Reach::Others).map(|port| port.number);
        for duty in [Duty::Controller, Duty::ControllerWorker, Duty::Single] {
            assert_eq!(open(duty).collect::<Vec<_>>(), [6443]);
        }
        assert_eq!(open(Duty::Worker).count(), 0);
    }
}
