//! What keeps a cluster's objects.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{hint, seed::printable, text_form};

/// What keeps objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StorageType {
    /// SQLite, on the one controller.
    #[default]
    Kine,
    /// The cluster's own etcd, a member on each controller.
    Etcd,
}

/// A word that names no such thing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown: `{word}`; known: `kine`, `etcd`{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct UnknownStorage {
    word: String,
    near: Option<&'static str>,
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kine => "kine",
            Self::Etcd => "etcd",
        })
    }
}

impl FromStr for StorageType {
    type Err = UnknownStorage;

    fn from_str(word: &str) -> Result<Self, UnknownStorage> {
        match word {
            "kine" => Ok(Self::Kine),
            "etcd" => Ok(Self::Etcd),
            _ => Err(UnknownStorage { word: printable(word), near: hint::nearest(word, ["kine", "etcd"]) }),
        }
    }
}

text_form!(StorageType);
