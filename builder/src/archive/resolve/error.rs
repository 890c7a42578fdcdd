//! Why packages cannot be together.

use std::fmt;

use crate::{
    archive::{
        index::Record,
        name::PackageName,
        relation::{BadRelation, Wanted},
        suite::Suite,
        universe::Universe,
        version::Version,
    },
    catalog::data::advice,
    report::Explain,
};

/// One version of a package, as people name it: `systemd 257.9-1 (trixie)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    name: PackageName,
    version: Version,
    suite: Suite,
}

/// Why one alternative of a dependency will not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No package has or provides that name.
    Nothing(PackageName),
    /// There is such a package, but no version of it will do.
    Versions(Vec<Offered>),
    /// A version that will not do is already taken in.
    Taken(Offered),
    /// It cannot be beside another.
    Conflict {
        /// The package.
        package: Offered,
        /// The other.
        other: Offered,
        /// Who wants the other.
        chain: Vec<PackageName>,
    },
}

/// Packages that cannot be put together.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResolveError {
    /// A named package is not in the archive.
    #[error("there is no package `{name}` in the archive")]
    Unknown {
        /// The name.
        name: PackageName,
        /// The nearest name.
        hint: Option<String>,
    },
    /// A dependency cannot be met.
    #[error("`{}` needs `{relation}`, which cannot be had: {}", .chain.last().map_or("", |name| name.as_str()), list(.reasons))]
    Unsatisfiable {
        /// Who wants it: from the named package down to the one with the dependency.
        chain: Vec<PackageName>,
        /// The dependency.
        relation: String,
        /// Why each alternative will not do.
        reasons: Vec<Reason>,
    },
    /// Two named packages cannot be together.
    #[error("named packages contradict each other: {reason}")]
    Conflict {
        /// Which.
        reason: Box<Reason>,
    },
    /// The archive's own text is not understood.
    #[error("package `{package}`")]
    Relation {
        /// The package.
        package: PackageName,
        /// What is not understood.
        #[source]
        source: BadRelation,
    },
}

impl ResolveError {
    pub(super) fn unknown(name: &PackageName, universe: &Universe) -> Self {
        let near = skerry_formats::hint::nearest(name.as_str(), universe.names());
        let hint = near.and_then(|near| advice(name.as_str(), [near]));
        Self::Unknown { name: name.clone(), hint }
    }
}

impl Explain for ResolveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { hint, .. } => hint.clone(),
            Self::Unsatisfiable { chain, .. } => Some(format!(
                "it is wanted by {}; if it can be done without, `exclude` it in the recipe with the reason",
                arrows(chain)
            )),
            Self::Conflict { .. } | Self::Relation { .. } => None,
        }
    }
}

impl Reason {
    pub(super) fn not_there(wanted: &Wanted, universe: &Universe) -> Self {
        let mut offered: Vec<Offered> = universe.versions(&wanted.name).iter().cloned().map(Offered::from).collect();
        let provided = Wanted { name: wanted.name.clone(), version: None };
        offered.extend(universe.providing(&provided).into_iter().cloned().map(Offered::from));
        if offered.is_empty() { Self::Nothing(wanted.name.clone()) } else { Self::Versions(offered) }
    }
}

impl From<Record> for Offered {
    fn from(record: Record) -> Self {
        Self { name: record.name, version: record.version, suite: record.suite }
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} {}` ({})", self.name, self.version, self.suite)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(name) => write!(f, "nothing is or provides `{name}`"),
            Self::Versions(offered) => write!(f, "the archive has {}", list(offered)),
            Self::Taken(offered) => write!(f, "{offered} is taken in already"),
            Self::Conflict { package, other, chain } => {
                write!(f, "{package} cannot be beside {other}, which is wanted by {}", arrows(chain))
            }
        }
    }
}

fn list(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn arrows(chain: &[PackageName]) -> String {
    format!("`{}`", chain.iter().map(PackageName::as_str).collect::<Vec<_>>().join(" → "))
}
