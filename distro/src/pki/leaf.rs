//! Which certificates a node has, for whom, and where they lie.

use std::{net::IpAddr, path::PathBuf};

use super::{
    authority::{LeafRequest, Usage},
    files::EtcdUse,
    identity,
};
use crate::{
    component::ComponentId,
    config::{Lifetimes, MetricsServer, NodeName, San, Settings, Storage},
    duty::Duty,
    paths::Paths,
    sys::machine::Machine,
};

/// A leaf certificate of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeafId {
    /// What kube-apiserver answers with.
    ApiServer,
    /// What kube-apiserver calls kubelets with.
    ApiServerKubeletClient,
    /// What kube-apiserver calls extension servers with, on behalf of a user.
    FrontProxyClient,
    /// The controller manager as a caller.
    ControllerManager,
    /// The controller manager's own health and metrics.
    ControllerManagerServer,
    /// The scheduler as a caller.
    Scheduler,
    /// The scheduler's own health and metrics.
    SchedulerServer,
    /// metrics-server as a caller.
    MetricsServer,
    /// What metrics-server answers kube-apiserver with.
    MetricsServerServer,
    /// The node as a caller.
    Kubelet,
    /// The node as a server of logs and exec.
    KubeletServer,
    /// The proxy as a caller.
    KubeProxy,
    /// What etcd answers its client with.
    EtcdServer,
    /// What a member of etcd calls and answers the others with.
    EtcdPeer,
    /// What kube-apiserver calls etcd with.
    ApiServerEtcdClient,
    /// The node's owner, and the supervisor itself.
    Admin,
    /// What the supervisor answers joining and linked nodes with.
    Link,
}

/// Which authority signs a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The cluster's.
    Cluster,
    /// The front proxy's.
    FrontProxy,
    /// etcd's own.
    Etcd,
}

/// Key material of the cluster that some components read, each in its own folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The cluster authority's certificate.
    Ca,
    /// The cluster authority's key.
    CaKey,
    /// The front proxy authority's certificate.
    FrontProxyCa,
    /// What verifies service account tokens.
    ServiceAccountPublic,
    /// What signs them.
    ServiceAccountPrivate,
    /// The etcd authority's certificate.
    EtcdCa,
    /// What Secrets are encrypted with, as kube-apiserver reads it.
    Keyring,
}

impl Shared {
    /// Its file name, the same in the authorities' folder and in a component's.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Ca => "ca.crt",
            Self::CaKey => "ca.key",
            Self::FrontProxyCa => "front-proxy-ca.crt",
            Self::ServiceAccountPublic => "sa.pub",
            Self::ServiceAccountPrivate => "sa.key",
            Self::EtcdCa => "etcd-ca.crt",
            Self::Keyring => "encryption.json",
        }
    }

    /// What a component reads of it.
    #[must_use]
    pub const fn of(component: ComponentId) -> &'static [Self] {
        match component {
            ComponentId::KubeApiserver => &[
                Self::Ca,
                Self::FrontProxyCa,
                Self::ServiceAccountPublic,
                Self::ServiceAccountPrivate,
                Self::EtcdCa,
                Self::Keyring,
            ],
            ComponentId::Etcd => &[Self::EtcdCa],
            ComponentId::KubeControllerManager => &[Self::Ca, Self::CaKey, Self::ServiceAccountPrivate],
            ComponentId::MetricsServer => &[Self::Ca, Self::FrontProxyCa],
            ComponentId::Kubelet => &[Self::Ca],
            ComponentId::Kine
            | ComponentId::KubeScheduler
            | ComponentId::Containerd
            | ComponentId::KubeProxy
            | ComponentId::Flannel => &[],
        }
    }
}

impl LeafId {
    /// All leaves that there are.
    pub const ALL: [Self; 17] = [
        Self::ApiServer,
        Self::ApiServerKubeletClient,
        Self::FrontProxyClient,
        Self::ControllerManager,
        Self::ControllerManagerServer,
        Self::Scheduler,
        Self::SchedulerServer,
        Self::MetricsServer,
        Self::MetricsServerServer,
        Self::Kubelet,
        Self::KubeletServer,
        Self::KubeProxy,
        Self::EtcdServer,
        Self::EtcdPeer,
        Self::ApiServerEtcdClient,
        Self::Admin,
        Self::Link,
    ];

    /// The leaves that a node of this duty issues, for a cluster that is to be so.
    #[must_use]
    pub fn of(duty: Duty, settings: &Settings) -> Vec<Self> {
        let etcd = EtcdUse::of(&settings.storage) == EtcdUse::Own;
        let metrics = settings.metrics_server == MetricsServer::On;
        let wanted = |leaf: &Self| match (leaf.signer(), leaf.user()) {
            (Signer::Etcd, _) => etcd,
            (_, Some(ComponentId::MetricsServer)) => metrics,
            _ => true,
        };
        Self::ALL.into_iter().filter(|leaf| leaf.belongs(duty)).filter(wanted).collect()
    }

    /// Whether a node of this duty may have it.
    #[must_use]
    const fn belongs(self, duty: Duty) -> bool {
        match self.user() {
            Some(component) => component.runs_on(duty),
            None => duty.controls(),
        }
    }

    /// Which authority signs it.
    #[must_use]
    pub const fn signer(self) -> Signer {
        match self {
            Self::FrontProxyClient => Signer::FrontProxy,
            Self::EtcdServer | Self::EtcdPeer | Self::ApiServerEtcdClient => Signer::Etcd,
            _ => Signer::Cluster,
        }
    }

    /// The component that uses it; `None` is the owner.
    #[must_use]
    pub const fn user(self) -> Option<ComponentId> {
        match self {
            Self::ApiServer | Self::ApiServerKubeletClient | Self::FrontProxyClient | Self::ApiServerEtcdClient => {
                Some(ComponentId::KubeApiserver)
            }
            Self::EtcdServer | Self::EtcdPeer => Some(ComponentId::Etcd),
            Self::ControllerManager | Self::ControllerManagerServer => Some(ComponentId::KubeControllerManager),
            Self::Scheduler | Self::SchedulerServer => Some(ComponentId::KubeScheduler),
            Self::MetricsServer | Self::MetricsServerServer => Some(ComponentId::MetricsServer),
            Self::Kubelet | Self::KubeletServer => Some(ComponentId::Kubelet),
            Self::KubeProxy => Some(ComponentId::KubeProxy),
            Self::Admin | Self::Link => None,
        }
    }

    /// Whether the caller it stands for has a kubeconfig of its own.
    #[must_use]
    pub const fn has_kubeconfig(self) -> bool {
        matches!(
            self,
            Self::ControllerManager
                | Self::Scheduler
                | Self::MetricsServer
                | Self::Kubelet
                | Self::KubeProxy
                | Self::Admin
        )
    }

    const fn stem(self) -> &'static str {
        match self {
            Self::ApiServer
            | Self::ControllerManagerServer
            | Self::SchedulerServer
            | Self::MetricsServerServer
            | Self::KubeletServer
            | Self::EtcdServer
            | Self::Link => "server",
            Self::EtcdPeer => "peer",
            Self::ApiServerEtcdClient => "etcd-client",
            Self::ApiServerKubeletClient => "kubelet-client",
            Self::FrontProxyClient => "front-proxy-client",
            Self::ControllerManager
            | Self::Scheduler
            | Self::MetricsServer
            | Self::Kubelet
            | Self::KubeProxy
            | Self::Admin => "client",
        }
    }

    /// The folder it lies in.
    #[must_use]
    pub fn folder(self, paths: &Paths) -> PathBuf {
        match self.user() {
            Some(component) => paths.of(component),
            None if self == Self::Link => paths.link(),
            None => paths.admin(),
        }
    }

    /// Path of its certificate.
    #[must_use]
    pub fn certificate(self, paths: &Paths) -> PathBuf {
        self.folder(paths).join(format!("{}.crt", self.stem()))
    }

    /// Path of its key.
    #[must_use]
    pub fn key(self, paths: &Paths) -> PathBuf {
        self.folder(paths).join(format!("{}.key", self.stem()))
    }

    /// What it is to say, on this node and with the addresses that the machine has now.
    #[must_use]
    pub fn request(self, settings: &Settings, machine: &Machine) -> LeafRequest {
        LeafRequest { lifetime: settings.api.lifetimes.leaf, ..self.subject(settings, machine) }
    }

    fn subject(self, settings: &Settings, machine: &Machine) -> LeafRequest {
        match self {
            Self::ApiServer => api_server(settings, machine),
            Self::ApiServerKubeletClient => LeafRequest::client("kube-apiserver-kubelet-client", None),
            Self::FrontProxyClient => LeafRequest::client("front-proxy-client", None),
            Self::ControllerManager => LeafRequest::client("system:kube-controller-manager", None),
            Self::Scheduler => LeafRequest::client("system:kube-scheduler", None),
            Self::MetricsServer => LeafRequest::client("system:metrics-server", None),
            Self::Kubelet => kubelet_client(&settings.node),
            Self::KubeProxy => kube_proxy(),
            Self::Admin => identity::admin(),
            // etcd's server calls itself too, with what it answers with.
            Self::EtcdServer => LeafRequest { usage: Usage::Both, ..server("etcd-server") },
            Self::EtcdPeer => etcd_peer(settings, machine),
            Self::ApiServerEtcdClient => LeafRequest::client("kube-apiserver-etcd-client", None),
            Self::ControllerManagerServer => server("kube-controller-manager"),
            Self::SchedulerServer => server("kube-scheduler"),
            Self::MetricsServerServer => metrics_server(),
            Self::KubeletServer => kubelet_server(&settings.node),
            Self::Link => LeafRequest { dns_names: vec![CONTROLLER_NAME.to_owned()], ..server("sk8s-link") },
        }
    }
}

/// The name by which a controller's supervisor proves itself, whatever address it is called at: no other certificate of
/// the cluster has it.
pub const CONTROLLER_NAME: &str = "controller.sk8s.internal";

/// A node as a caller.
#[must_use]
pub fn kubelet_client(node: &NodeName) -> LeafRequest {
    LeafRequest::client(&format!("{NODE_USER}{node}"), Some("system:nodes"))
}

/// What a node's user name starts with.
pub const NODE_USER: &str = "system:node:";

/// A node as a server of logs and exec. It is called by its name, through the link; any address in it, loopback above all,
/// would let one node pass for the API of another.
#[must_use]
pub fn kubelet_server(node: &NodeName) -> LeafRequest {
    LeafRequest {
        organization: Some("system:nodes".to_owned()),
        dns_names: vec![node.to_string()],
        addresses: Vec::new(),
        ..server(&format!("{NODE_USER}{node}"))
    }
}

/// A node's proxy as a caller.
#[must_use]
pub fn kube_proxy() -> LeafRequest {
    LeafRequest::client("system:kube-proxy", None)
}

/// kube-apiserver calls it by the name of its Service.
fn metrics_server() -> LeafRequest {
    let mut request = server("metrics-server");
    request.dns_names.push("metrics-server.kube-system.svc".to_owned());
    request
}

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)];

fn with_loopback(addresses: &[IpAddr]) -> Vec<IpAddr> {
    LOOPBACK.into_iter().chain(addresses.iter().copied()).collect()
}

fn server(common_name: &str) -> LeafRequest {
    LeafRequest {
        common_name: common_name.to_owned(),
        organization: None,
        usage: Usage::Server,
        dns_names: vec!["localhost".to_owned()],
        addresses: with_loopback(&[]),
        lifetime: Lifetimes::default().leaf,
    }
}

/// A member is called by its address and calls from it; others check both ways that the certificate names it.
fn etcd_peer(settings: &Settings, machine: &Machine) -> LeafRequest {
    let mut addresses = with_loopback(&machine.addresses);
    if let Storage::Etcd(member) = &settings.storage {
        addresses.extend(member.peer_address);
    }
    addresses.sort();
    addresses.dedup();
    LeafRequest {
        usage: Usage::Both,
        dns_names: vec![settings.node.to_string(), "localhost".to_owned()],
        addresses,
        ..server("etcd-peer")
    }
}

fn api_server(settings: &Settings, machine: &Machine) -> LeafRequest {
    let domain = &settings.domain;
    let mut names: Vec<String> =
        ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"].map(ToOwned::to_owned).into();
    names.extend([format!("kubernetes.default.svc.{domain}"), settings.node.to_string()]);
    let mut addresses = with_loopback(&machine.addresses);
    addresses.push(IpAddr::V4(settings.api_address()));
    for san in &settings.api.sans {
        match san {
            San::Dns(name) => names.push(name.to_string()),
            San::Ip(address) => addresses.push(*address),
        }
    }
    names.sort();
    names.dedup();
    addresses.sort();
    addresses.dedup();
    LeafRequest { dns_names: names, addresses, ..server("kube-apiserver") }
}
