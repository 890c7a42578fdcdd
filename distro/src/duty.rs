//! What a node does for its cluster.

use skerry_formats::role::Role;

use crate::component::ComponentId;

/// A node's duty. It decides which components run, which keys the node holds and how its pods reach others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// The control plane alone: no kubelet and no containerd.
    Controller,
    /// The control plane, and workloads that tolerate it.
    ControllerWorker,
    /// A whole cluster that no other node ever joins.
    Single,
    /// Workloads alone, for a control plane elsewhere.
    Worker,
}

impl Duty {
    /// Whether the control plane runs here: the node then holds the cluster's keys.
    #[must_use]
    pub const fn controls(self) -> bool {
        !matches!(self, Self::Worker)
    }

    /// Whether pods run here.
    #[must_use]
    pub const fn works(self) -> bool {
        !matches!(self, Self::Controller)
    }

    /// Whether other nodes may join.
    #[must_use]
    pub const fn admits(self) -> bool {
        matches!(self, Self::Controller | Self::ControllerWorker)
    }

    /// The node's role, as people and the seed say it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Controller | Self::ControllerWorker => Role::Controller,
            Self::Single => Role::Single,
            Self::Worker => Role::Worker,
        }
    }

    /// Whether a component runs on such a node.
    #[must_use]
    pub const fn runs(self, component: ComponentId) -> bool {
        match component {
            ComponentId::Kine
            | ComponentId::Etcd
            | ComponentId::KubeApiserver
            | ComponentId::KubeControllerManager
            | ComponentId::KubeScheduler => self.controls(),
            ComponentId::Containerd | ComponentId::Kubelet | ComponentId::KubeProxy => self.works(),
            // One node alone has nobody to be connected with.
            ComponentId::Flannel => matches!(self, Self::ControllerWorker | Self::Worker),
        }
    }
}
