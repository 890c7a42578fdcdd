//! When locked versions have left the mirror: the newest signed versions in their place, in memory only, and never silently.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use skerry_formats::arch::Arch;

use super::{Context, Lock, LockError, LockedPackage, LockedSet, LockedSuite, SetName, packages, scripts};
use crate::archive::{
    Snapshot, deb,
    index::{self, Record},
    name::{PackageArch, PackageId, PackageName},
    relation, resolve,
    universe::Universe,
    version::Version,
};

/// A package that is another version than the locked one, or is no longer needed, or is new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Substitution {
    /// The package.
    pub name: PackageName,
    /// Its architecture.
    pub arch: PackageArch,
    /// The locked version.
    pub from: Option<Version>,
    /// The version in its place.
    pub to: Option<Version>,
    /// Why.
    pub why: Why,
}

/// Why a package is not as locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The locked version left the mirror.
    Left,
    /// It goes with another that left.
    Follows,
}

impl fmt::Display for Substitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = |version: &Option<Version>| version.as_ref().map_or("none".to_owned(), Version::to_string);
        let why = match self.why {
            Why::Left => "the locked version left the mirror",
            Why::Follows => "it goes with a package whose locked version left the mirror",
        };
        write!(f, "{} {} → {}: {why}", self.name, version(&self.from), version(&self.to))
    }
}

type Packages = BTreeMap<PackageName, Record>;
/// A package before and after.
type Pair<'a> = (Option<&'a LockedPackage>, Option<&'a LockedPackage>);

/// An amended lock in which the newest signed versions stand for packages that left the mirror, and what was changed.
/// The rest stays as locked, unless it cannot be beside the new ones. Signatures and scripts are checked as ever.
///
/// # Errors
/// If the archive cannot be used, a package has no successor, or a successor's scripts are not reviewed.
pub fn substitute(
    lock: &Lock,
    gone: &BTreeSet<PackageId>,
    context: &Context<'_>,
) -> Result<(Lock, Vec<Substitution>), LockError> {
    let hit: BTreeMap<&SetName, &LockedSet> =
        lock.sets.iter().filter(|(_, set)| !set.packages.is_disjoint(gone)).collect();
    let arches: BTreeSet<Arch> = hit.values().map(|set| set.arch).collect();
    let snapshot = context.archive.snapshot(&arches, &lock.known(), context.reporter)?;
    let mut amended = lock.clone();
    amended.suites = snapshot.suites.iter().map(|(suite, state)| (*suite, LockedSuite::from(state))).collect();
    let mut substitutions = BTreeSet::new();
    for (name, set) in hit {
        let before = locked_records(lock, name, gone, context)?;
        let after = amend(set, before, &snapshot).map_err(|source| LockError::Resolve { set: name.clone(), source })?;
        let packages: Vec<LockedPackage> = after.values().map(|record| lock.package_of(record)).collect();
        substitutions.extend(changes(&lock.set(name)?, &packages, gone));
        let ids = packages.iter().map(LockedPackage::id).collect();
        amended.sets.insert(name.clone(), LockedSet { packages: ids, ..set.clone() });
        amended.packages.extend(packages.into_iter().map(|package| (package.id(), package)));
    }
    amended.forget_unused();
    amended.review_new(lock, context)?;
    Ok((amended, substitutions.into_iter().collect()))
}

/// The locked packages of a set that are still to be had, with their relations, read from the packages themselves.
fn locked_records(
    lock: &Lock,
    set: &SetName,
    gone: &BTreeSet<PackageId>,
    context: &Context<'_>,
) -> Result<Packages, LockError> {
    let mut kept = Packages::new();
    for package in lock.set(set)?.into_iter().filter(|package| !gone.contains(&package.id())) {
        let wrong = |source| LockError::Deb { id: package.id(), source };
        let control = deb::read_control(&context.archive.store.blob_path(&package.sha256)).map_err(wrong)?;
        let place = format!(
            "{}\nFilename: {}\nSize: {}\nSHA256: {}\n",
            control.stanza.trim_end(),
            package.path,
            package.size,
            package.sha256
        );
        let records = index::read(package.suite, place.as_bytes());
        let damaged = |_| wrong(deb::DebError::Format { why: "its control file is not understood" });
        kept.extend(records.map_err(damaged)?.into_iter().map(|record| (record.name.clone(), record)));
    }
    Ok(kept)
}

/// What the set needs now, each package as locked where that is still to be had and fits.
fn amend(set: &LockedSet, mut kept: Packages, snapshot: &Snapshot) -> Result<Packages, resolve::ResolveError> {
    let universe = snapshot.universe(set.arch);
    let resolution = resolve::resolve(universe, &set.named, &set.exclude)?;
    let new: Packages = resolution.packages.into_iter().map(|(name, chosen)| (name, chosen.record)).collect();
    let mut packages: Packages =
        new.iter().map(|(name, record)| (name.clone(), kept.remove(name).unwrap_or_else(|| record.clone()))).collect();
    while let Some(name) = misfit(&packages, &new, set, universe)? {
        let record = new.get(&name).cloned();
        packages.extend(record.map(|record| (name, record)));
    }
    Ok(packages)
}

/// A package that must be the new version, because one beside it needs that, or it needs something that is no longer there.
fn misfit(
    packages: &Packages,
    new: &Packages,
    set: &LockedSet,
    universe: &Universe,
) -> Result<Option<PackageName>, resolve::ResolveError> {
    let is_new = |name: &PackageName| packages.get(name).map(|r| &r.version) == new.get(name).map(|r| &r.version);
    for record in packages.values() {
        let broken = |source| resolve::ResolveError::Relation { package: record.name.clone(), source };
        for relation in relation::parse_list(&record.depends).map_err(broken)? {
            let meets = |record: &Record| relation.alternatives.iter().any(|wanted| record.meets(wanted));
            if packages.values().any(meets) {
                continue;
            }
            if let Some(better) = new.values().find(|record| meets(record) && !is_new(&record.name)) {
                return Ok(Some(better.name.clone()));
            }
            // Neither old nor new has it: excluded, or needed by the old version only.
            if !is_new(&record.name) && !is_cut(&relation, set, universe) {
                return Ok(Some(record.name.clone()));
            }
        }
    }
    Ok(None)
}

/// Whether an exclusion cuts a dependency.
fn is_cut(relation: &relation::Relation, set: &LockedSet, universe: &Universe) -> bool {
    let excluded = |wanted: &relation::Wanted| {
        let mut names = universe.providing(wanted).into_iter().map(|record| &record.name).chain([&wanted.name]);
        names.any(|name| set.exclude.contains(name))
    };
    relation.alternatives.iter().any(excluded)
}

fn changes(before: &[&LockedPackage], after: &[LockedPackage], gone: &BTreeSet<PackageId>) -> Vec<Substitution> {
    let mut all: BTreeMap<(&PackageName, PackageArch), Pair<'_>> = BTreeMap::new();
    for package in before {
        all.entry((&package.name, package.arch)).or_default().0 = Some(package);
    }
    for package in after {
        all.entry((&package.name, package.arch)).or_default().1 = Some(package);
    }
    let changed = all.into_iter().filter(|(_, (before, after))| before.map(|p| p.id()) != after.map(|p| p.id()));
    let described = changed.map(|((name, arch), (before, after))| Substitution {
        name: name.clone(),
        arch,
        from: before.map(|package| package.version.clone()),
        to: after.map(|package| package.version.clone()),
        why: if before.is_some_and(|package| gone.contains(&package.id())) { Why::Left } else { Why::Follows },
    });
    described.collect()
}

impl Lock {
    /// The package as locked if it is the very same, with the digest of its scripts; else as the archive has it.
    fn package_of(&self, record: &Record) -> LockedPackage {
        let package = LockedPackage::from(record);
        self.packages.get(&package.id()).filter(|locked| locked.sha256 == package.sha256).cloned().unwrap_or(package)
    }

    fn forget_unused(&mut self) {
        let used: BTreeSet<PackageId> = self.sets.values().flat_map(|set| set.packages.iter().cloned()).collect();
        self.packages.retain(|id, _| used.contains(id));
    }

    /// Fetches what another lock does not have, and looks at its scripts.
    fn review_new(&mut self, known: &Self, context: &Context<'_>) -> Result<(), LockError> {
        let new = self.packages.values().filter(|package| !known.packages.contains_key(&package.id()));
        let new: Vec<LockedPackage> = new.cloned().collect();
        packages::fetch(&new, context.archive, context.reporter)?;
        let reviews = scripts::look(&new, &context.archive.store)?;
        context.table.review(&reviews)?;
        self.note(&reviews);
        Ok(())
    }
}
