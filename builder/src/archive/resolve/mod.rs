//! From named packages to all that they need: `Depends` and `Pre-Depends`, versions, alternatives, `Provides`, `Conflicts`
//! and `Breaks`; never `Recommends`. Pure, and the same answer for the same question.
//!
//! Greedy, without going back: dependencies that leave no choice are met first, so that an alternative that comes in anyway
//! is taken. What is excluded cuts the dependency, unless the dependency itself names another package that will do.

mod error;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    index::Record,
    name::PackageName,
    relation::{self, Relation, Wanted},
    universe::Universe,
};

pub use error::{Reason, ResolveError};

/// A package that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The package.
    pub record: Record,
    /// Which package needed it first; `None` if it was named.
    pub demander: Option<PackageName>,
}

/// A dependency that an exclusion cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Who has the dependency.
    pub demander: PackageName,
    /// The dependency.
    pub relation: String,
    /// The excluded package.
    pub excluded: PackageName,
}

/// All packages that are needed, by name, and what was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The packages.
    pub packages: BTreeMap<PackageName, Chosen>,
    /// The dependencies that were cut, in the order they were met.
    pub cuts: Vec<Cut>,
}

/// Finds all packages that the named ones need; a named package is taken in even if it is excluded.
///
/// # Errors
/// If a package is not there, a dependency cannot be met, or two packages cannot be together.
pub fn resolve(
    universe: &Universe,
    named: &BTreeSet<PackageName>,
    exclude: &BTreeSet<PackageName>,
) -> Result<Resolution, ResolveError> {
    let mut resolver =
        Resolver { universe, exclude, chosen: BTreeMap::new(), queue: Queue::default(), cuts: Vec::new() };
    for name in named {
        let record = universe.newest(name).ok_or_else(|| ResolveError::unknown(name, universe))?;
        if let Some(reason) = resolver.conflict(record)? {
            return Err(ResolveError::Conflict { reason: Box::new(reason) });
        }
        resolver.choose(record, None)?;
    }
    while let Some(demand) = resolver.queue.pop() {
        resolver.meet(&demand)?;
    }
    let packages = resolver
        .chosen
        .into_iter()
        .map(|(name, taken)| (name, Chosen { record: taken.record.clone(), demander: taken.demander }));
    Ok(Resolution { packages: packages.collect(), cuts: resolver.cuts })
}

struct Resolver<'a> {
    universe: &'a Universe,
    exclude: &'a BTreeSet<PackageName>,
    chosen: BTreeMap<PackageName, Taken<'a>>,
    queue: Queue,
    cuts: Vec<Cut>,
}

struct Taken<'a> {
    record: &'a Record,
    conflicts: Vec<Relation>,
    demander: Option<PackageName>,
}

struct Demand {
    by: PackageName,
    relation: Relation,
}

/// Demands without a choice come before those with one.
#[derive(Default)]
struct Queue {
    plain: VecDeque<Demand>,
    choices: VecDeque<Demand>,
}

impl Queue {
    fn pop(&mut self) -> Option<Demand> {
        self.plain.pop_front().or_else(|| self.choices.pop_front())
    }
}

impl<'a> Resolver<'a> {
    fn choose(&mut self, record: &'a Record, demander: Option<PackageName>) -> Result<(), ResolveError> {
        let broken = |source| ResolveError::Relation { package: record.name.clone(), source };
        for relation in relation::parse_list(&record.depends).map_err(broken)? {
            let plain =
                relation.alternatives.len() == 1 && self.universe.newest(&relation.alternatives[0].name).is_some();
            let queue = if plain { &mut self.queue.plain } else { &mut self.queue.choices };
            queue.push_back(Demand { by: record.name.clone(), relation });
        }
        let conflicts = relation::parse_list(&record.conflicts).map_err(broken)?;
        self.chosen.insert(record.name.clone(), Taken { record, conflicts, demander });
        Ok(())
    }

    fn meet(&mut self, demand: &Demand) -> Result<(), ResolveError> {
        let met = |wanted: &Wanted| self.chosen.values().any(|taken| taken.record.meets(wanted));
        if demand.relation.alternatives.iter().any(met) {
            return Ok(());
        }
        let (mut excluded, mut reasons) = (None, Vec::new());
        for wanted in &demand.relation.alternatives {
            match self.candidate(wanted, excluded.as_ref())? {
                Candidate::Good(record) => return self.choose(record, Some(demand.by.clone())),
                Candidate::Excluded(name) => excluded = excluded.or(Some(name)),
                Candidate::Bad(reason) => reasons.push(reason),
            }
        }
        match excluded {
            Some(excluded) => {
                let relation = demand.relation.to_string();
                self.cuts.push(Cut { demander: demand.by.clone(), relation, excluded });
                Ok(())
            }
            None => Err(ResolveError::Unsatisfiable {
                chain: self.chain(&demand.by),
                relation: demand.relation.to_string(),
                reasons,
            }),
        }
    }

    /// The package to take for an alternative. Once one was excluded, only packages that the dependency names will do.
    fn candidate(&self, wanted: &Wanted, excluded: Option<&PackageName>) -> Result<Candidate<'a>, ResolveError> {
        if self.exclude.contains(&wanted.name) {
            return Ok(Candidate::Excluded(wanted.name.clone()));
        }
        if let Some(taken) = self.chosen.get(&wanted.name) {
            return Ok(Candidate::Bad(Reason::Taken(taken.record.clone().into())));
        }
        let mut found: Vec<&Record> = self.universe.real(wanted).into_iter().collect();
        if found.is_empty() && excluded.is_none() {
            found = self.universe.providing(wanted);
        }
        let mut reason = Reason::not_there(wanted, self.universe);
        for record in found {
            if self.exclude.contains(&record.name) {
                return Ok(Candidate::Excluded(record.name.clone()));
            }
            match self.conflict(record)? {
                None => return Ok(Candidate::Good(record)),
                Some(conflict) => reason = conflict,
            }
        }
        Ok(Candidate::Bad(reason))
    }

    /// Why a package cannot be beside those already taken in.
    fn conflict(&self, record: &Record) -> Result<Option<Reason>, ResolveError> {
        let broken = |source| ResolveError::Relation { package: record.name.clone(), source };
        let conflicts = relation::parse_list(&record.conflicts).map_err(broken)?;
        let hits = |list: &[Relation], other: &Record| {
            list.iter().flat_map(|relation| &relation.alternatives).any(|wanted| other.meets(wanted))
        };
        for taken in self.chosen.values().filter(|taken| taken.record.name != record.name) {
            if hits(&conflicts, taken.record) || hits(&taken.conflicts, record) {
                let (package, other) = (record.clone().into(), taken.record.clone().into());
                return Ok(Some(Reason::Conflict { package, other, chain: self.chain(&taken.record.name) }));
            }
        }
        Ok(None)
    }

    /// Who wants a package, from the named one down to itself.
    fn chain(&self, name: &PackageName) -> Vec<PackageName> {
        let mut chain = vec![name.clone()];
        let mut at = name;
        while let Some(demander) = self.chosen.get(at).and_then(|taken| taken.demander.as_ref()) {
            chain.push(demander.clone());
            at = demander;
        }
        chain.reverse();
        chain
    }
}

enum Candidate<'a> {
    Good(&'a Record),
    Excluded(PackageName),
    Bad(Reason),
}
