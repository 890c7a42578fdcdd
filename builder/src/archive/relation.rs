//! Relations between packages, as in `Depends: libc6 (>= 2.38), mawk | awk`: Debian policy 7.1.

use std::fmt;

use super::{name::PackageName, version::Version};

/// What a version must be beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<<`
    Earlier,
    /// `<=`
    AtMost,
    /// `=`
    Exactly,
    /// `>=`
    AtLeast,
    /// `>>`
    Later,
}

/// A package that is wanted, or not wanted: `libc6 (>= 2.38)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name; an architecture qualifier (`:any`) is dropped, as one image has one architecture.
    pub name: PackageName,
    /// What its version must be.
    pub version: Option<(Comparison, Version)>,
}

/// Alternatives, any of which will do: `mawk | awk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// In the order of preference; never empty.
    pub alternatives: Vec<Wanted>,
}

/// Text that is no list of relations.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a relation between packages: `{0}`")]
pub struct BadRelation(String);

impl Comparison {
    /// The sign in the archive.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Earlier => "<<",
            Self::AtMost => "<=",
            Self::Exactly => "=",
            Self::AtLeast => ">=",
            Self::Later => ">>",
        }
    }

    /// Whether `have` is what `wanted` asks for.
    #[must_use]
    pub fn holds(self, have: &Version, wanted: &Version) -> bool {
        match self {
            Self::Earlier => have < wanted,
            Self::AtMost => have <= wanted,
            Self::Exactly => have == wanted,
            Self::AtLeast => have >= wanted,
            Self::Later => have > wanted,
        }
    }
}

impl Wanted {
    /// Whether a package of this name and version is wanted.
    #[must_use]
    pub fn fits(&self, version: &Version) -> bool {
        self.version.as_ref().is_none_or(|(comparison, wanted)| comparison.holds(version, wanted))
    }

    /// Whether something provided under this name is wanted: without a version it never meets a wanted version.
    #[must_use]
    pub fn fits_provided(&self, version: Option<&Version>) -> bool {
        match (&self.version, version) {
            (None, _) => true,
            (Some(_), Some(version)) => self.fits(version),
            (Some(_), None) => false,
        }
    }
}

/// Reads a list of relations, as in `Depends`.
///
/// # Errors
/// If it is not one.
pub fn parse_list(text: &str) -> Result<Vec<Relation>, BadRelation> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| parse_relation(part).ok_or_else(|| BadRelation(part.chars().take(120).collect()))).collect()
}

fn parse_relation(text: &str) -> Option<Relation> {
    let alternatives = text.split('|').map(|part| parse_wanted(part.trim())).collect::<Option<Vec<_>>>()?;
    Some(Relation { alternatives })
}

fn parse_wanted(text: &str) -> Option<Wanted> {
    let (name, version) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), Some(parse_constraint(rest.strip_suffix(')')?.trim())?)),
        None => (text, None),
    };
    let name = name.split_once(':').map_or(name, |(name, _qualifier)| name);
    Some(Wanted { name: name.parse().ok()?, version })
}

fn parse_constraint(text: &str) -> Option<(Comparison, Version)> {
    let end = text.find(|c| !matches!(c, '<' | '>' | '='))?;
    let (sign, version) = text.split_at(end);
    let comparison = match sign {
        "<<" => Comparison::Earlier,
        "<=" | "<" => Comparison::AtMost,
        "=" => Comparison::Exactly,
        ">=" | ">" => Comparison::AtLeast,
        ">>" => Comparison::Later,
        _ => return None,
    };
    Some((comparison, version.trim().parse().ok()?))
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some((comparison, version)) => write!(f, "{} ({} {version})", self.name, comparison.sign()),
            None => write!(f, "{}", self.name),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, wanted) in self.alternatives.iter().enumerate() {
            let separator = if index == 0 { "" } else { " | " };
            write!(f, "{separator}{wanted}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_survives_its_text() {
        let text = "libc6 (>= 2.38), mawk | awk, python3:any (<< 4)";
        let list = parse_list(text).unwrap();
        let back: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(back, ["libc6 (>= 2.38)", "mawk | awk", "python3 (<< 4)"]);
    }

    #[test]
    fn an_unversioned_provision_never_meets_a_version() {
        let list = parse_list("awk (>= 1)").unwrap();
        assert!(!list[0].alternatives[0].fits_provided(None));
    }

    #[test]
    fn a_broken_relation_is_named() {
        assert_eq!(parse_list("a1 (>= )").unwrap_err().to_string(), "not a relation between packages: `a1 (>= )`");
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in "[a-z0-9 ()<>=|,:~.+-]{0,60}") {
            let _either = parse_list(&text);
        }
    }
}
