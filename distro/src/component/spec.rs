//! What a component is, to its supervisor.

use std::{fmt, path::PathBuf, time::Duration};

use crate::sys::{accounts::Account, cgroup::Limits, machine::Machine};

/// One of upstream's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentId {
    /// The database behind etcd's protocol.
    Kine,
    /// The datastore that several controllers share.
    Etcd,
    /// The API.
    KubeApiserver,
    /// The controllers.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// What nodes and pods use.
    MetricsServer,
    /// The container runtime.
    Containerd,
    /// The node's agent.
    Kubelet,
    /// The services' addresses.
    KubeProxy,
    /// The ways between pods of different nodes.
    Flannel,
}

impl ComponentId {
    /// All of them, none before one that it needs.
    pub const ALL: [Self; 10] = [
        Self::Kine,
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::MetricsServer,
        Self::Containerd,
        Self::Kubelet,
        Self::KubeProxy,
        Self::Flannel,
    ];

    /// The component's name everywhere: processes, logs, control groups, status, account.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kine => "kine",
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::MetricsServer => "metrics-server",
            Self::Containerd => "containerd",
            Self::Kubelet => "kubelet",
            Self::KubeProxy => "kube-proxy",
            Self::Flannel => "flannel",
        }
    }
}

impl ComponentId {
    /// Whether its work asks for the administrator's rights.
    #[must_use]
    pub const fn needs_root(self) -> bool {
        matches!(self, Self::Containerd | Self::Kubelet | Self::KubeProxy | Self::Flannel)
    }

    /// Who it runs as: an account of its own name, or the administrator where there is none or its work asks for one.
    #[must_use]
    pub fn account(self, machine: &Machine) -> Account {
        let own = Account::find(&machine.passwd, self.as_str()).filter(|_| !self.needs_root());
        own.unwrap_or(Account::ROOT)
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a running component has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It runs.
    Started,
    /// It answers, but has work to do before it is whole.
    Listening,
    /// It does all it is there for.
    Ready,
}

/// Another component that must have come so far first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Which.
    pub component: ComponentId,
    /// How far.
    pub stage: Stage,
}

/// How to find out how far a component has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Ready when its socket answers the greeting of a gRPC client.
    Grpc(PathBuf),
    /// Listening when the API answers, ready when it says so.
    Api,
    /// Ready when `/healthz` on this loopback port says so, over TLS.
    Tls(u16),
    /// The same without TLS.
    Plain(u16),
    /// Ready when etcd says so on this loopback port, which takes a member that can answer reads.
    Etcd(u16),
    /// Listening when it answers on this loopback port, ready when the API has the node Ready from this boot.
    Node(u16),
}

/// What is ended with the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillScope {
    /// Its whole process group.
    Group,
    /// It alone: what it started outlives it.
    Process,
}

/// A file that a component makes for another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The file.
    pub path: PathBuf,
    /// Who gets it.
    pub to: Account,
}

/// Everything a supervisor has to know of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentSpec {
    /// Which it is.
    pub id: ComponentId,
    /// Path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, besides `PATH`.
    pub env: Vec<(&'static str, String)>,
    /// Who it runs as.
    pub account: Account,
    /// Limits of its control group.
    pub limits: Limits,
    /// What must have come how far before it starts.
    pub needs: Vec<Need>,
    /// How to see how far it has come.
    pub probe: Probe,
    /// How long it may take to stop.
    pub grace: Duration,
    /// What is ended with it.
    pub scope: KillScope,
    /// What is given away once it is ready.
    pub handover: Option<Handover>,
}
