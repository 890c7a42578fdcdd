//! The guard over maintainer scripts: none runs, and none is ignored in silence.
//!
//! `recipes/scripts.toml` says of each script, by digest, what replaces it. A package whose scripts it does not know cannot
//! be locked. See `docs/decisions/0003-reviewed-scripts.md`.

use std::{fmt::Write as _, path::Path};

use serde::Deserialize;
use skerry_formats::digest::Digest;

use super::{LockError, LockedPackage};
use crate::{
    archive::{
        deb::{self, Scripts},
        name::{PackageId, PackageName},
    },
    catalog::{DataError, data},
    store::Store,
};

/// The reviewed scripts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptsTable {
    /// Entries; a package may have several, one for each architecture or version.
    #[serde(default, rename = "script")]
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    package: Pattern,
    sha256: Digest,
    handled_by: String,
}

/// A package's name in which one `*` may stand for the part that changes with every version of a kernel or compiler. What
/// it stands for is replaced by `*` in the scripts too, before their digest is computed.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Pattern(String);

/// A package's scripts, as they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The package file.
    pub id: PackageId,
    /// The package.
    pub name: PackageName,
    /// Its scripts.
    pub scripts: Scripts,
}

/// A package whose scripts nobody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreviewed(pub Review);

impl ScriptsTable {
    /// Reads the table.
    ///
    /// # Errors
    /// If it cannot be read or is no such table.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        data::load(path)
    }

    /// Whether all scripts are reviewed; packages without scripts need no review.
    ///
    /// # Errors
    /// With all packages that are not, and their scripts.
    pub fn review(&self, found: &[Review]) -> Result<(), LockError> {
        let unknown = found.iter().filter(|review| !review.scripts.is_empty() && self.handled_by(review).is_none());
        let unknown: Vec<Unreviewed> = unknown.cloned().map(Unreviewed).collect();
        if unknown.is_empty() { Ok(()) } else { Err(LockError::Unreviewed(unknown)) }
    }

    /// What replaces a package's scripts, if they were reviewed; an entry without a sentence does not count.
    #[must_use]
    pub fn handled_by(&self, review: &Review) -> Option<&str> {
        let fits = |entry: &&Entry| {
            !entry.handled_by.trim().is_empty()
                && entry.package.digest(&review.name, &review.scripts).is_some_and(|digest| digest == entry.sha256)
        };
        self.entries.iter().find(fits).map(|entry| entry.handled_by.as_str())
    }

    /// What replaces scripts, of each entry.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.handled_by.as_str())
    }

    /// A package's scripts, with what replaces them, or with the entry to add.
    #[must_use]
    pub fn show(&self, review: &Review) -> String {
        let mut text = review.text();
        match self.handled_by(review) {
            Some(_) if review.scripts.is_empty() => text.push_str("no scripts\n"),
            Some(words) => text.push_str(&format!("handled by: {words}\n")),
            None if review.scripts.is_empty() => text.push_str("no scripts\n"),
            None => text.push_str(&review.entry()),
        }
        text
    }
}

impl Pattern {
    /// The pattern for a package: a part between hyphens that looks like a version becomes `*`.
    fn of(name: &PackageName) -> Self {
        let versions = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit()) && part.contains('.');
        match name.as_str().split('-').find(versions) {
            Some(part) => Self(name.as_str().replacen(part, "*", 1)),
            None => Self(name.to_string()),
        }
    }

    /// The digest of a package's scripts as this pattern sees them; `None` if the name does not fit.
    fn digest(&self, name: &PackageName, scripts: &Scripts) -> Option<Digest> {
        let Some((head, tail)) = self.0.split_once('*') else {
            return (self.0 == name.as_str()).then(|| scripts.digest());
        };
        let part = name.as_str().strip_prefix(head)?.strip_suffix(tail).filter(|part| !part.is_empty())?;
        Some(scripts.with_replaced(part, "*").digest())
    }
}

impl Review {
    /// All scripts, each below a line with its name.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, script) in self.scripts.iter() {
            let _infallible = writeln!(text, "--- {}: {name}\n{}", self.id, script.trim_end());
        }
        text
    }

    /// The entry for `recipes/scripts.toml`, with the sentence left to write.
    #[must_use]
    pub fn entry(&self) -> String {
        let pattern = Pattern::of(&self.name);
        let digest = pattern.digest(&self.name, &self.scripts).unwrap_or_else(|| self.scripts.digest());
        format!("\n[[script]]\npackage = \"{}\"\nsha256 = \"{digest}\"\nhandled-by = \"\"\n", pattern.0)
    }
}

impl Unreviewed {
    pub(super) fn list(all: &[Self]) -> String {
        let ids: Vec<String> = all.iter().map(|unreviewed| format!("`{}`", unreviewed.0.id)).collect();
        let mut text = format!("packages have scripts that nobody has reviewed: {}", ids.join(", "));
        for unreviewed in all {
            let _infallible = write!(text, "\n{}{}", unreviewed.0.text(), unreviewed.0.entry().trim_end());
        }
        text
    }
}

/// Looks at the scripts of packages that are in the store.
///
/// # Errors
/// If one cannot be read.
pub fn look<'a>(
    packages: impl IntoIterator<Item = &'a LockedPackage>,
    store: &Store,
) -> Result<Vec<Review>, LockError> {
    let one = |package: &LockedPackage| {
        let id = package.id();
        match deb::read_control(&store.blob_path(&package.sha256)) {
            Ok(control) => Ok(Review { id, name: package.name.clone(), scripts: control.scripts }),
            Err(source) => Err(LockError::Deb { id, source }),
        }
    };
    packages.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(name: &str, postinst: &str) -> Review {
        let scripts = Scripts::new([("postinst".to_owned(), postinst.to_owned())].into());
        let name: PackageName = name.parse().unwrap();
        let id = PackageId::new(&name, &"1".parse().unwrap(), crate::archive::name::PackageArch::All);
        Review { id, name, scripts }
    }

    #[test]
    fn the_version_in_a_kernels_name_does_not_matter() {
        let old = review("linux-image-6.12.48+deb13-cloud-amd64", "version=6.12.48+deb13-cloud-amd64\n");
        let new = review("linux-image-6.12.57+deb13-cloud-amd64", "version=6.12.57+deb13-cloud-amd64\n");
        let text = old.entry().replace("\"\"", "\"the builder\"");
        let table: ScriptsTable = data::parse(Path::new("scripts.toml"), &text).unwrap();
        assert!(text.contains("package = \"linux-image-*-cloud-amd64\""));
        assert_eq!(table.handled_by(&new), Some("the builder"));
        let changed = review("linux-image-6.12.57+deb13-cloud-amd64", "rm -r /\n");
        assert!(table.review(&[new, changed]).is_err());
    }

    #[test]
    fn a_package_without_scripts_needs_no_review() {
        let mut none = review("ab", "");
        none.scripts = Scripts::default();
        assert!(ScriptsTable::default().review(&[none]).is_ok());
        assert!(ScriptsTable::default().review(&[review("ab", "")]).is_err());
    }
}
