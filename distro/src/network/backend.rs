//! How packets for pods get from node to node.

use std::{fmt, str::FromStr};

/// One of the ways between nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// In UDP packets between the nodes' addresses, whatever lies between them.
    #[default]
    Vxlan,
    /// By plain routes, for nodes that are neighbours on one link.
    HostGateway,
}

/// A word that names no backend.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no way between nodes: `{0}`; wanted: `vxlan` or `host-gw`")]
pub struct BadBackend(String);

impl Backend {
    /// Its name, which is flannel's too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::HostGateway => "host-gw",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Backend {
    type Err = BadBackend;

    fn from_str(text: &str) -> Result<Self, BadBackend> {
        [Self::Vxlan, Self::HostGateway]
            .into_iter()
            .find(|backend| backend.as_str() == text)
            .ok_or_else(|| BadBackend(text.chars().take(60).collect()))
    }
}
