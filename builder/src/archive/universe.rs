//! All packages that may be chosen for one architecture, by name and by what they provide.

use std::collections::BTreeMap;

use super::{
    index::Record,
    name::PackageName,
    relation::{self, BadRelation, Wanted},
    version::Version,
};

/// Packages by name, newest first, and who provides what.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    packages: BTreeMap<PackageName, Vec<Record>>,
    providers: BTreeMap<PackageName, Vec<PackageName>>,
}

/// What a package provides under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provision {
    /// The other name.
    pub name: PackageName,
    /// Its version, if it has one.
    pub version: Option<Version>,
}

impl Record {
    /// What the package provides under other names.
    ///
    /// # Errors
    /// If its `Provides` is not understood.
    pub fn provisions(&self) -> Result<Vec<Provision>, BadRelation> {
        let relations = relation::parse_list(&self.provides)?;
        let all = relations.into_iter().flat_map(|relation| relation.alternatives);
        Ok(all.map(|wanted| Provision { name: wanted.name, version: wanted.version.map(|(_, v)| v) }).collect())
    }

    /// Whether the package is, or provides, what is wanted.
    #[must_use]
    pub fn meets(&self, wanted: &Wanted) -> bool {
        if self.name == wanted.name && wanted.fits(&self.version) {
            return true;
        }
        // Most packages provide nothing of the sort: look before parsing.
        self.provides.contains(wanted.name.as_str())
            && self
                .provisions()
                .is_ok_and(|all| all.iter().any(|p| p.name == wanted.name && wanted.fits_provided(p.version.as_ref())))
    }
}

impl Universe {
    /// No packages at all.
    #[must_use]
    pub const fn none() -> Self {
        Self { packages: BTreeMap::new(), providers: BTreeMap::new() }
    }

    /// All given packages. Of the same version in two suites the first one given is kept.
    ///
    /// # Errors
    /// If a package's `Provides` is not understood.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Result<Self, BadRelation> {
        let mut universe = Self::default();
        for record in records {
            for provision in record.provisions()? {
                let providers = universe.providers.entry(provision.name).or_default();
                if !providers.contains(&record.name) {
                    providers.push(record.name.clone());
                }
            }
            let versions = universe.packages.entry(record.name.clone()).or_default();
            if !versions.iter().any(|known| known.version == record.version) {
                versions.push(record);
            }
        }
        universe.packages.values_mut().for_each(|versions| versions.sort_by(|a, b| b.version.cmp(&a.version)));
        universe.providers.values_mut().for_each(|names| names.sort());
        Ok(universe)
    }

    /// All versions of a package, newest first.
    #[must_use]
    pub fn versions(&self, name: &PackageName) -> &[Record] {
        self.packages.get(name).map_or(&[], Vec::as_slice)
    }

    /// The newest version of a package.
    #[must_use]
    pub fn newest(&self, name: &PackageName) -> Option<&Record> {
        self.versions(name).first()
    }

    /// One version of a package.
    #[must_use]
    pub fn exactly(&self, name: &PackageName, version: &Version) -> Option<&Record> {
        self.versions(name).iter().find(|record| record.version == *version)
    }

    /// The newest version that is what is wanted itself, not by providing it.
    #[must_use]
    pub fn real(&self, wanted: &Wanted) -> Option<&Record> {
        self.versions(&wanted.name).iter().find(|record| wanted.fits(&record.version))
    }

    /// The newest versions of all packages that provide what is wanted: by priority, then by name.
    #[must_use]
    pub fn providing(&self, wanted: &Wanted) -> Vec<&Record> {
        let names = self.providers.get(&wanted.name).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<&Record> =
            names.iter().filter_map(|name| self.newest(name)).filter(|record| record.meets(wanted)).collect();
        found.sort_by_key(|record| (record.priority, &record.name));
        found
    }

    /// The names of all packages.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.packages.keys().map(PackageName::as_str)
    }
}
