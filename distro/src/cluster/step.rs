//! One thing to do on one host.

use std::fmt;

use skerry_formats::{arch::Arch, digest::Digest, seed::HostName};

/// When a step is taken, and beside which others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Round {
    /// What disturbs nothing that runs: hosts beside each other.
    Prepare,
    /// Controllers, one after the other.
    Controllers,
    /// Workers that do not run: beside each other.
    Workers,
    /// Workers that run: one after the other.
    Upgrades,
}

impl Round {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Prepare, Self::Controllers, Self::Workers, Self::Upgrades];

    /// Whether hosts are worked on at the same time.
    #[must_use]
    pub const fn is_parallel(self) -> bool {
        matches!(self, Self::Prepare | Self::Workers)
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Upload a program beside its place.
    Upload(Arch, Digest),
    /// Put it in its place.
    Place(Digest),
    /// Have it judge the machine.
    Check,
    /// Write the configuration.
    Configure,
    /// Write the service.
    Install,
    /// Start it with a token made on a controller.
    Join(HostName),
    /// Start it.
    Start,
    /// Start it again.
    Restart,
    /// Wait until it is ready.
    Await,
    /// Take the token out of the service, which runs on.
    Settle,
    /// Take it out of etcd, asking another controller.
    Leave(HostName),
    /// Remove all that sk8s has made.
    Wipe,
    /// Delete its node, asking a controller.
    Forget(HostName),
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub round: Round,
    /// Where.
    pub host: HostName,
    /// What.
    pub act: Act,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload(arch, digest) => write!(f, "upload sk8s for {arch} ({})", digest.short()),
            Self::Place(digest) => write!(f, "put sk8s in its place ({})", digest.short()),
            Self::Check => write!(f, "check the machine"),
            Self::Configure => write!(f, "write {}", super::CONFIG),
            Self::Install => write!(f, "install the service"),
            Self::Join(at) => write!(f, "join at {at}"),
            Self::Start => write!(f, "start"),
            Self::Restart => write!(f, "restart"),
            Self::Await => write!(f, "wait until it is ready"),
            Self::Settle => write!(f, "remove the join token"),
            Self::Leave(at) => write!(f, "leave etcd, asking {at}"),
            Self::Wipe => write!(f, "remove sk8s and all that it has made"),
            Self::Forget(at) => write!(f, "delete its node, asking {at}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.host, self.act)
    }
}
