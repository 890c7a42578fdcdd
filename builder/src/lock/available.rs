//! Having all packages of some sets in the store, whatever left the mirror.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Lock, LockError, LockedPackage, SetName, Substitution, packages, substitute};
use crate::{archive::name::PackageId, fetch::FetchError};

/// What to do when a locked package has left the mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenGone {
    /// Take the newest signed version in its place, and say so.
    Substitute,
    /// Fail, naming it: `--locked`.
    Refuse,
}

/// Gets all packages of some sets into the store. The lock that comes back is the given one, unless packages left the mirror
/// and may be substituted; each substitution is printed and returned. Nothing is written to `skerry.lock`.
///
/// # Errors
/// If a set is not locked, a package cannot be got, or has no reviewed successor.
pub fn available(
    lock: &Lock,
    sets: &[SetName],
    when_gone: WhenGone,
    context: &Context<'_>,
) -> Result<(Lock, Vec<Substitution>), LockError> {
    let wanted = wanted(lock, sets)?;
    let gone = match packages::fetch(wanted.values().copied(), context.archive, context.reporter) {
        Ok(_) => return Ok((lock.clone(), Vec::new())),
        Err(LockError::Fetch(FetchError::PackagesGone(names))) if when_gone == WhenGone::Substitute => names,
        Err(error) => return Err(error),
    };
    let gone: BTreeSet<PackageId> =
        wanted.into_keys().filter(|id| gone.iter().any(|name| name == id.as_str())).cloned().collect();
    // Other sets with the same packages are not fetched yet, and not asked for.
    let mut part = lock.clone();
    part.sets.retain(|name, _| sets.contains(name));
    let (part, substitutions) = substitute(&part, &gone, context)?;
    for substitution in &substitutions {
        context.reporter.line(format!("  ! {substitution}"));
    }
    let mut amended = lock.clone();
    amended.suites = part.suites;
    amended.sets.extend(part.sets);
    amended.packages.extend(part.packages);
    Ok((amended, substitutions))
}

fn wanted<'a>(lock: &'a Lock, sets: &[SetName]) -> Result<BTreeMap<&'a PackageId, &'a LockedPackage>, LockError> {
    let mut wanted = BTreeMap::new();
    for name in sets {
        let set = lock.sets.get(name).ok_or_else(|| LockError::NoSet { name: name.clone() })?;
        wanted.extend(set.packages.iter().filter_map(|id| lock.packages.get_key_value(id)));
    }
    Ok(wanted)
}
