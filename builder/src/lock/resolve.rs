//! Making a lock: requests and the archive's state become exact packages, their scripts reviewed.

use std::collections::BTreeSet;

use skerry_formats::arch::Arch;

use super::{
    Lock, LockError, LockedPackage, LockedSet, LockedSuite, ScriptsTable, SetRequest, packages,
    scripts::{self, Review},
};
use crate::{
    archive::{Archive, Snapshot, resolve},
    report::Reporter,
};

/// What making a lock works with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The archive.
    pub archive: &'a Archive,
    /// The reviewed scripts.
    pub table: &'a ScriptsTable,
    /// Where progress goes.
    pub reporter: &'a Reporter,
}

/// Resolves requests against the archive as the mirror has it now. All packages are fetched, as their scripts are looked at.
///
/// `previous` is the lock from before, if there was one: nothing older than it is accepted from the mirror.
///
/// # Errors
/// If the archive cannot be used, a request cannot be met, or a package has scripts that nobody has reviewed.
pub fn resolve(requests: &[SetRequest], previous: Option<&Lock>, context: &Context<'_>) -> Result<Lock, LockError> {
    let arches: BTreeSet<Arch> = requests.iter().map(|request| request.arch).collect();
    let known = previous.map(Lock::known).unwrap_or_default();
    let snapshot = context.archive.snapshot(&arches, &known, context.reporter)?;
    let mut lock = from_snapshot(requests, &snapshot)?;
    packages::fetch(lock.packages.values(), context.archive, context.reporter)?;
    let reviews = scripts::look(lock.packages.values(), &context.archive.store)?;
    context.table.review(&reviews)?;
    lock.note(&reviews);
    Ok(lock)
}

/// Resolves requests against one state of the archive; scripts are not looked at.
pub(super) fn from_snapshot(requests: &[SetRequest], snapshot: &Snapshot) -> Result<Lock, LockError> {
    let suites = snapshot.suites.iter().map(|(suite, state)| (*suite, LockedSuite::from(state))).collect();
    let mut lock = Lock { suites, ..Lock::default() };
    for request in requests {
        let failed = |source| LockError::Resolve { set: request.name.clone(), source };
        let universe = snapshot.universe(request.arch);
        let resolution = resolve::resolve(universe, &request.packages, &request.excluded()).map_err(failed)?;
        let locked = resolution.packages.values().map(|chosen| LockedPackage::from(&chosen.record));
        let locked: Vec<LockedPackage> = locked.collect();
        let set = LockedSet {
            arch: request.arch,
            named: request.packages.clone(),
            exclude: request.excluded(),
            packages: locked.iter().map(LockedPackage::id).collect(),
        };
        lock.sets.insert(request.name.clone(), set);
        lock.packages.extend(locked.into_iter().map(|package| (package.id(), package)));
    }
    Ok(lock)
}

impl Lock {
    /// Writes down the digests of scripts that were found.
    pub(super) fn note(&mut self, reviews: &[Review]) {
        for review in reviews {
            if let Some(package) = self.packages.get_mut(&review.id) {
                package.scripts = (!review.scripts.is_empty()).then(|| review.scripts.digest());
            }
        }
    }
}
