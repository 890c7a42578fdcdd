//! Whether a machine can run sk8s: what is seen, judged, and told with what to do about it.

mod checks;
mod kernel;
mod observe;
mod sockets;
mod text;

pub use checks::judge;
pub use kernel::{FEATURES, Feature, Presence, Sources};
pub use observe::observe;
pub use text::{json, text};

use std::{collections::BTreeMap, net::IpAddr};

use serde::Serialize;

use crate::{
    pki::UnixTime,
    sys::{cgroup, fs::Space},
};

/// What the machine is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Control plane alone.
    Controller,
    /// Workloads alone.
    Worker,
    /// Both.
    Both,
}

impl Purpose {
    const fn controls(self) -> bool {
        matches!(self, Self::Controller | Self::Both)
    }

    const fn works(self) -> bool {
        matches!(self, Self::Worker | Self::Both)
    }
}

/// What is seen of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The kernel's release, as `uname -r` prints it.
    pub kernel: String,
    /// `x86_64`, `aarch64` …
    pub architecture: String,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Swap in MiB.
    pub swap_mib: u64,
    /// The data folder's file system; `None` if it cannot be looked at.
    pub disk: Option<Space>,
    /// Which control groups there are.
    pub cgroups: cgroup::Version,
    /// The controllers that they have.
    pub controllers: Vec<String>,
    /// What of the kernel is there, by the name of the module.
    pub features: BTreeMap<&'static str, Presence>,
    /// Programs that are wanted and there.
    pub programs: Vec<&'static str>,
    /// Those that sk8s has to spare.
    pub spare: Vec<&'static str>,
    /// What the clock says.
    pub now: UnixTime,
    /// Ports on which something listens.
    pub ports: Vec<u16>,
    /// Whether that may be sk8s itself.
    pub running: bool,
    /// What `localhost` resolves to.
    pub localhost: Vec<IpAddr>,
    /// The host's name.
    pub host_name: String,
    /// The address that others reach it at.
    pub address: Option<IpAddr>,
    /// inotify instances that one user may have.
    pub watchers: Option<u64>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Pass,
    /// It will run, but not well, or not everything.
    Warn,
    /// It will not run.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen.
    pub found: String,
    /// What to do about it, unless all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn pass(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Pass, found: found.into(), advice: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    fn fail(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

#[cfg(test)]
mod tests;
