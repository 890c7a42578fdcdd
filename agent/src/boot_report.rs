//! What the initial RAM disk tells the agent: which slot runs, from which disk, and how long each phase took.

use serde::{Deserialize, Serialize};
use skerry_formats::{digest::Digest, slot::Slot};

/// Where the report lies while the system runs.
pub const PATH: &str = "/run/skerry/boot.json";

/// The report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BootReport {
    /// The slot that runs.
    pub slot: Slot,
    /// Its verified root hash.
    pub root_hash: Digest,
    /// The kernel's name of the disk: `vda`.
    pub boot_disk: String,
    /// What was done, in order.
    pub phases: Vec<Phase>,
}

/// The end of a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Phase {
    /// What was done by then.
    pub name: String,
    /// Milliseconds since the kernel's start.
    pub at_ms: u64,
}
