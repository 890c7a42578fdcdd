//! Whether the lock is what the recipes ask for.

use std::{collections::BTreeSet, fmt::Display};

use super::{Lock, LockedSet, SetRequest};
use crate::report::Explain;

/// The lock is not what the recipes ask for.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the lock is not what the recipes ask for:\n{}", .lines.join("\n"))]
pub struct Drift {
    /// The difference, a line each: set names, and below each what it lacks (`+`) or has too much (`-`).
    pub lines: Vec<String>,
}

impl Explain for Drift {
    fn hint(&self) -> Option<String> {
        Some("bring the lock up to date: `skerry lock`".to_owned())
    }

    fn exit_code(&self) -> u8 {
        3
    }
}

impl Lock {
    /// Whether every requested set is locked as requested; sets that nobody asks for now are left alone.
    ///
    /// # Errors
    /// If not, with the difference.
    pub fn check(&self, requests: &[SetRequest]) -> Result<(), Drift> {
        let lines: Vec<String> = requests.iter().flat_map(|request| self.difference(request)).collect();
        if lines.is_empty() { Ok(()) } else { Err(Drift { lines }) }
    }

    fn difference(&self, request: &SetRequest) -> Vec<String> {
        let Some(set) = self.sets.get(&request.name) else {
            return vec![format!("    {}: not locked", request.name)];
        };
        let mut lines = Vec::new();
        if set.arch != request.arch {
            lines.push(format!("      - arch {}", set.arch));
            lines.push(format!("      + arch {}", request.arch));
        }
        lines.extend(changes("", &set.named, &request.packages));
        lines.extend(changes("exclude ", &set.exclude, &request.excluded()));
        if !lines.is_empty() {
            lines.insert(0, format!("    {}:", request.name));
        }
        lines
    }

    /// Whether a set is locked as requested.
    #[must_use]
    pub fn has(&self, request: &SetRequest) -> bool {
        self.sets.get(&request.name).is_some_and(|set| set.is_of(request))
    }
}

impl LockedSet {
    fn is_of(&self, request: &SetRequest) -> bool {
        self.arch == request.arch && self.named == request.packages && self.exclude == request.excluded()
    }
}

fn changes<T: Ord + Display>(what: &str, locked: &BTreeSet<T>, wanted: &BTreeSet<T>) -> Vec<String> {
    let gone = locked.difference(wanted).map(|name| format!("      - {what}{name}"));
    let new = wanted.difference(locked).map(|name| format!("      + {what}{name}"));
    gone.chain(new).collect()
}
