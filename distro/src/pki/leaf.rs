//! Which certificates a node has, for whom, and where they lie.

use std::{net::IpAddr, path::PathBuf};

use super::{
    authority::{LeafRequest, Usage},
    files::EtcdUse,
    identity,
};
use crate::{
    component::ComponentId,
    config::{San, Settings, Storage},
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
        }
    }

    /// What a component reads of it.
    #[must_use]
    pub const fn of(component: ComponentId) -> &'static [Self] {
        match component {
            ComponentId::KubeApiserver => {
                &[Self::Ca, Self::FrontProxyCa, Self::ServiceAccountPublic, Self::ServiceAccountPrivate, Self::EtcdCa]
            }
            ComponentId::Etcd => &[Self::EtcdCa],
            ComponentId::KubeControllerManager => &[Self::Ca, Self::CaKey, Self::ServiceAccountPrivate],
            ComponentId::Kubelet => &[Self::Ca],
            ComponentId::Kine | ComponentId::KubeScheduler | ComponentId::Containerd | ComponentId::KubeProxy => &[],
        }
    }
}

impl LeafId {
    /// Leaves of a cluster with an etcd of its own, beside all the others.
    pub const ETCD: [Self; 3] = [Self::EtcdServer, Self::EtcdPeer, Self::ApiServerEtcdClient];

    /// All leaves of a node that is all in one.
    #[must_use]
    pub fn of(storage: &Storage) -> Vec<Self> {
        let etcd = match EtcdUse::of(storage) {
            EtcdUse::Own => &Self::ETCD[..],
            EtcdUse::None => &[],
        };
        Self::ALL.iter().chain(etcd).copied().collect()
    }

    /// Leaves of every node that is all in one.
    pub const ALL: [Self; 11] = [
        Self::ApiServer,
        Self::ApiServerKubeletClient,
        Self::FrontProxyClient,
        Self::ControllerManager,
        Self::ControllerManagerServer,
        Self::Scheduler,
        Self::SchedulerServer,
        Self::Kubelet,
        Self::KubeletServer,
        Self::KubeProxy,
        Self::Admin,
    ];

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
            Self::Kubelet | Self::KubeletServer => Some(ComponentId::Kubelet),
            Self::KubeProxy => Some(ComponentId::KubeProxy),
            Self::Admin => None,
        }
    }

    /// Whether the caller it stands for has a kubeconfig of its own.
    #[must_use]
    pub const fn has_kubeconfig(self) -> bool {
        matches!(self, Self::ControllerManager | Self::Scheduler | Self::Kubelet | Self::KubeProxy | Self::Admin)
    }

    const fn stem(self) -> &'static str {
        match self {
            Self::ApiServer
            | Self::ControllerManagerServer
            | Self::SchedulerServer
            | Self::KubeletServer
            | Self::EtcdServer => "server",
            Self::EtcdPeer => "peer",
            Self::ApiServerEtcdClient => "etcd-client",
            Self::ApiServerKubeletClient => "kubelet-client",
            Self::FrontProxyClient => "front-proxy-client",
            Self::ControllerManager | Self::Scheduler | Self::Kubelet | Self::KubeProxy | Self::Admin => "client",
        }
    }

    /// The folder it lies in.
    #[must_use]
    pub fn folder(self, paths: &Paths) -> PathBuf {
        self.user().map_or_else(|| paths.admin(), |component| paths.of(component))
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
        match self {
            Self::ApiServer => api_server(settings, machine),
            Self::ApiServerKubeletClient => LeafRequest::client("kube-apiserver-kubelet-client", None),
            Self::FrontProxyClient => LeafRequest::client("front-proxy-client", None),
            Self::ControllerManager => LeafRequest::client("system:kube-controller-manager", None),
            Self::Scheduler => LeafRequest::client("system:kube-scheduler", None),
            Self::Kubelet => LeafRequest::client(&format!("system:node:{}", settings.node), Some("system:nodes")),
            Self::KubeProxy => LeafRequest::client("system:kube-proxy", None),
            Self::Admin => identity::admin(),
            // etcd's server calls itself too, with what it answers with.
            Self::EtcdServer => LeafRequest { usage: Usage::Both, ..server("etcd-server") },
            Self::EtcdPeer => etcd_peer(settings, machine),
            Self::ApiServerEtcdClient => LeafRequest::client("kube-apiserver-etcd-client", None),
            Self::ControllerManagerServer => server("kube-controller-manager"),
            Self::SchedulerServer => server("kube-scheduler"),
            Self::KubeletServer => LeafRequest {
                organization: Some("system:nodes".to_owned()),
                dns_names: vec![settings.node.to_string(), "localhost".to_owned()],
                addresses: with_loopback(&machine.addresses),
                ..server(&format!("system:node:{}", settings.node))
            },
        }
    }
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
    for san in &settings.sans {
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
