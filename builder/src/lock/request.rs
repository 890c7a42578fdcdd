//! What is asked to be locked: named sets of packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use skerry_formats::{arch::Arch, name::Name, text_type};

use crate::{
    archive::name::{BadPackageName, PackageName},
    report::Explain,
};

/// A set's name: names with slashes between, as `root/qemu-x86_64/default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

/// Text that names no set.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a name of a package set: `{0}`")]
pub struct BadSetName(String);

/// Packages that are wanted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRequest {
    /// The set's name.
    pub name: SetName,
    /// The architecture they are of.
    pub arch: Arch,
    /// The packages, named; what they need follows.
    pub packages: BTreeSet<PackageName>,
    /// Packages never taken in although something needs them, each with the reason.
    pub exclude: BTreeMap<PackageName, String>,
}

/// A request that cannot be made.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadRequest {
    /// The set's name.
    #[error(transparent)]
    Set(#[from] BadSetName),
    /// A package's name.
    #[error("package set `{set}`")]
    Package {
        /// The set.
        set: SetName,
        /// What is wrong.
        #[source]
        source: BadPackageName,
    },
}

impl Explain for BadRequest {
    fn exit_code(&self) -> u8 {
        2
    }
}

impl SetRequest {
    /// A request in the words of a recipe. A package that is named is not excluded, whatever another file says.
    ///
    /// # Errors
    /// If a word names no set or no package.
    pub fn new<'a>(
        name: &str,
        arch: Arch,
        packages: impl IntoIterator<Item = &'a String>,
        exclude: &BTreeMap<String, String>,
    ) -> Result<Self, BadRequest> {
        let name: SetName = name.parse()?;
        let package = |word: &str| {
            word.parse::<PackageName>().map_err(|source| BadRequest::Package { set: name.clone(), source })
        };
        let packages = packages.into_iter().map(|word| package(word)).collect::<Result<BTreeSet<_>, _>>()?;
        let reasons = exclude.iter().map(|(word, reason)| Ok((package(word)?, reason.clone())));
        let mut exclude = reasons.collect::<Result<BTreeMap<_, _>, BadRequest>>()?;
        exclude.retain(|name, _| !packages.contains(name));
        Ok(Self { name, arch, packages, exclude })
    }

    /// The names of what is excluded.
    #[must_use]
    pub fn excluded(&self) -> BTreeSet<PackageName> {
        self.exclude.keys().cloned().collect()
    }
}

text_type!(SetName);

impl FromStr for SetName {
    type Err = BadSetName;

    fn from_str(text: &str) -> Result<Self, BadSetName> {
        let fits = text.len() <= 200 && text.split('/').all(|part| part.parse::<Name>().is_ok());
        if fits { Ok(Self(text.to_owned())) } else { Err(BadSetName(text.chars().take(80).collect())) }
    }
}
