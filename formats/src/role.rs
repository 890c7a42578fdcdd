//! What a node is in its cluster.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::hint;

/// A node's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Control plane only: no kubelet and no containerd.
    Controller,
    /// Workloads only; joins a controller with a token.
    Worker,
    /// Control plane and workloads on one node, never joined by another.
    Single,
}

/// A word that names no role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown role: `{word}`; known: `controller`, `worker`, `single`{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct UnknownRole {
    word: String,
    near: Option<&'static str>,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Controller, Self::Worker, Self::Single];

    /// The role's word on command lines and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Worker => "worker",
            Self::Single => "single",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == word).ok_or_else(|| UnknownRole {
            word: word.to_owned(),
            near: hint::nearest(word, Self::ALL.map(Self::as_str)),
        })
    }
}
