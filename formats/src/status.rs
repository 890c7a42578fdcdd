//! What `sk8s status -o json` prints and `skerryd` reads.

use serde::{Deserialize, Serialize};

use crate::role::Role;

/// The state of a node's Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Version of sk8s, which is Kubernetes' version with our revision.
    pub version: String,
    /// The node's role.
    pub role: Role,
    /// Name of the node in the cluster.
    pub node: String,
    /// All in one word.
    pub phase: Phase,
    /// What is being waited for, in plain words; empty when ready.
    pub waiting_for: String,
    /// Every supervised process, in start order.
    pub components: Vec<Component>,
    /// What happened when, in milliseconds since the supervisor's start.
    pub timeline: Vec<Moment>,
    /// Charts of a controller's configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<ChartStatus>,
}

/// The whole node in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Components are starting for the first time.
    Starting,
    /// All components are ready and, where there is a kubelet, the node is Ready.
    Ready,
    /// It was ready once, and something is not now.
    Degraded,
    /// Being stopped.
    Stopping,
}

/// One supervised process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Component {
    /// Its name: `kube-apiserver`, `kine` …
    pub name: String,
    /// Where it stands.
    pub state: ComponentState,
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it last ended, in plain words.
    pub last_exit: Option<String>,
}

/// Where a supervised process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentState {
    /// Another component must be ready first.
    Waiting,
    /// Running, not yet ready.
    Starting,
    /// Running and ready.
    Ready,
    /// Ended; started again after a pause.
    BackOff,
    /// Stopped on purpose.
    Stopped,
}

/// A point in a node's start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Moment {
    /// Milliseconds since the supervisor's start.
    pub at_ms: u64,
    /// What happened: `kube-apiserver ready`, `node ready`.
    pub event: String,
}

/// A chart that a controller brings into the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChartStatus {
    /// Its release: `NAMESPACE/NAME`.
    pub release: String,
    /// Where it stands.
    pub state: ChartState,
    /// What went wrong, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Where a chart stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChartState {
    /// Its turn has not come, or another controller's has.
    Waiting,
    /// It is being installed or changed.
    Working,
    /// It is in the cluster as the configuration says.
    Deployed,
    /// It failed; it is tried again after a pause.
    Failed,
    /// It left the configuration and is being removed.
    Removing,
}
