//! What a host does for its cluster.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{hint, role::Role, seed::printable, text_form};

/// A host's duty. It decides which components run there, which keys it holds, whether it is a node, and who may join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Duty {
    /// The control plane alone: no kubelet and no containerd.
    Controller,
    /// The control plane, and workloads.
    ControllerWorker,
    /// A whole cluster that no other host ever joins.
    Single,
    /// Workloads alone, for a control plane elsewhere.
    Worker,
}

/// A word that names no duty.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown role: `{word}`; known: `controller`, `controller+worker`, `single`, `worker`{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct UnknownDuty {
    word: String,
    near: Option<&'static str>,
}

impl Duty {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Controller, Self::ControllerWorker, Self::Single, Self::Worker];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::ControllerWorker => "controller+worker",
            Self::Single => "single",
            Self::Worker => "worker",
        }
    }

    /// The role, as people and the seed say it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Controller | Self::ControllerWorker => Role::Controller,
            Self::Single => Role::Single,
            Self::Worker => Role::Worker,
        }
    }

    /// Whether the control plane runs here: the host then holds the cluster's keys.
    #[must_use]
    pub const fn controls(self) -> bool {
        !matches!(self, Self::Worker)
    }

    /// Whether pods run here: only then it is a node.
    #[must_use]
    pub const fn works(self) -> bool {
        !matches!(self, Self::Controller)
    }

    /// Whether others may join.
    #[must_use]
    pub const fn admits(self) -> bool {
        matches!(self, Self::Controller | Self::ControllerWorker)
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Duty {
    type Err = UnknownDuty;

    fn from_str(word: &str) -> Result<Self, UnknownDuty> {
        Self::ALL.into_iter().find(|duty| duty.as_str() == word).ok_or_else(|| UnknownDuty {
            word: printable(word),
            near: hint::nearest(word, Self::ALL.map(Self::as_str)),
        })
    }
}

text_form!(Duty);

#[cfg(test)]
mod tests {
    use super::Duty;

    #[test]
    fn every_duty_is_its_own_word() {
        for duty in Duty::ALL {
            assert_eq!(duty.as_str().parse(), Ok(duty));
        }
    }
}
