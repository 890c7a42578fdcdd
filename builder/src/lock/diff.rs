//! What differs between two locks, for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::Lock;
use crate::archive::{
    name::{PackageArch, PackageName},
    version::Version,
};

/// What differs, a line each, sorted: `  systemd 257.8-1 → 257.9-1 (amd64)`, `+ …`, `- …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The lines.
    pub lines: Vec<String>,
}

impl Diff {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

type Versions<'a> = BTreeMap<(&'a PackageName, PackageArch), BTreeSet<&'a Version>>;

/// What differs from `old` to `new`: suites, sets, packages.
#[must_use]
pub fn diff(old: &Lock, new: &Lock) -> Diff {
    let mut lines = Vec::new();
    for (suite, state) in &new.suites {
        match old.suites.get(suite).map(|known| &known.date) {
            Some(date) if *date == state.date => {}
            Some(date) => lines.push(format!("  {suite} {date} → {}", state.date)),
            None => lines.push(format!("+ {suite} {}", state.date)),
        }
    }
    lines.extend(old.sets.keys().filter(|name| !new.sets.contains_key(name)).map(|name| format!("- set {name}")));
    lines.extend(new.sets.keys().filter(|name| !old.sets.contains_key(name)).map(|name| format!("+ set {name}")));
    let (old, new) = (versions(old), versions(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        let (name, arch) = key;
        lines.push(match (before, after) {
            (Some(before), Some(after)) => format!("  {name} {} → {} ({arch})", list(before), list(after)),
            (Some(before), None) => format!("- {name} {} ({arch})", list(before)),
            (None, after) => format!("+ {name} {} ({arch})", after.map(list).unwrap_or_default()),
        });
    }
    Diff { lines }
}

fn versions(lock: &Lock) -> Versions<'_> {
    let mut all = Versions::new();
    for package in lock.packages.values() {
        all.entry((&package.name, package.arch)).or_default().insert(&package.version);
    }
    all
}

fn list(versions: &BTreeSet<&Version>) -> String {
    versions.iter().map(|version| version.as_str()).collect::<Vec<_>>().join(", ")
}
