//! The state of a node as the agent sees it.

use serde::{Deserialize, Serialize};
use skerry_formats::{role::Role, slot::Slot, status};

use crate::boot_report;

/// All that is said of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    /// What it is.
    pub machine: Machine,
    /// Its name.
    pub node: String,
    /// Its role, once known.
    pub role: Option<Role>,
    /// `interface address` of each way in.
    pub addresses: Vec<String>,
    /// All in one word.
    pub phase: Phase,
    /// What is waited for, in plain words; empty when ready.
    pub waiting: String,
    /// What is wrong with seeds, a line each.
    pub seed_errors: Vec<String>,
    /// What else is wrong, a line each.
    pub errors: Vec<String>,
    /// Kubernetes, as sk8s tells it.
    pub kubernetes: Option<status::Status>,
    /// What was done when, in milliseconds since the kernel's start.
    pub timeline: Vec<boot_report::Phase>,
}

/// What does not change while the system runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// Version of the image.
    pub version: String,
    /// The board it was made for.
    pub board: String,
    /// The slot that runs; unknown where early boot was not ours.
    pub slot: Option<Slot>,
}

/// The node in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// A seed cannot be used.
    SeedError,
    /// No seed says what the node is to be.
    NoRole,
    /// The node cannot become what its seed says.
    Blocked,
    /// There is no address yet.
    NoAddress,
    /// Kubernetes is starting.
    Starting,
    /// Kubernetes is ready.
    Ready,
    /// Kubernetes was ready and is not now.
    Degraded,
    /// Kubernetes is being stopped.
    Stopping,
}

impl Phase {
    /// For people.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::SeedError => "waiting for a correct seed",
            Self::NoRole => "waiting for a role",
            Self::Blocked => "blocked",
            Self::NoAddress => "waiting for the network",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Stopping => "stopping",
        }
    }
}

impl From<status::Phase> for Phase {
    fn from(phase: status::Phase) -> Self {
        match phase {
            status::Phase::Starting => Self::Starting,
            status::Phase::Ready => Self::Ready,
            status::Phase::Degraded => Self::Degraded,
            status::Phase::Stopping => Self::Stopping,
        }
    }
}
