//! What a node does for its cluster, and which components that takes.

pub use skerry_formats::duty::Duty;

use crate::component::ComponentId;

impl ComponentId {
    /// Whether it runs on a node of this duty.
    #[must_use]
    pub const fn runs_on(self, duty: Duty) -> bool {
        match self {
            Self::Kine
            | Self::Etcd
            | Self::KubeApiserver
            | Self::KubeControllerManager
            | Self::KubeScheduler
            | Self::MetricsServer => duty.controls(),
            Self::Containerd | Self::Kubelet | Self::KubeProxy => duty.works(),
            // One node alone has nobody to be connected with.
            Self::Flannel => matches!(duty, Duty::ControllerWorker | Duty::Worker),
        }
    }
}
