//! What is wrong with a seed, in words for whoever wrote it.

use std::fmt;

use serde::Serialize;

use super::{
    line::line_of,
    path::{KeyPath, printable},
};
use crate::hint;

/// Where a seed comes from, in words: `user-data on the medium vdb`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Source(String);

impl Source {
    /// A source by its name for people.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(printable(&name.into()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In which source.
    pub source: Source,
    /// On which line, from 1, where it could be told.
    pub line: Option<usize>,
    /// What it is.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The first line is not `#cloud-config`.
    Header,
    /// More bytes than a seed may have.
    TooLarge {
        /// How many may be.
        limit: usize,
    },
    /// The bytes are no YAML.
    Syntax(String),
    /// Nested deeper than any known key.
    TooDeep(KeyPath),
    /// A key that nobody knows.
    UnknownKey {
        /// Where it stands.
        path: KeyPath,
        /// The known key that was probably meant.
        near: Option<String>,
        /// All known keys there.
        known: Vec<&'static str>,
    },
    /// A key of cloud-init's that is not carried out here.
    Foreign {
        /// The key.
        path: KeyPath,
        /// What to do instead.
        instead: &'static str,
    },
    /// A value of another kind.
    Kind {
        /// Where it stands.
        path: KeyPath,
        /// What was wanted.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value that means nothing there.
    Value {
        /// Where it stands.
        path: KeyPath,
        /// What is wrong with it.
        why: String,
    },
}

impl Fault {
    /// An unknown key, with the nearest of the known ones.
    pub(super) fn unknown(path: KeyPath, key: &str, known: &[&'static str]) -> Self {
        let near = hint::nearest(key, known.iter().copied()).map(str::to_owned);
        Self::UnknownKey { path, near, known: known.to_vec() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "the first line must be `#cloud-config`"),
            Self::TooLarge { limit } => write!(f, "larger than {} KiB", limit >> 10),
            Self::Syntax(what) => write!(f, "not YAML: {what}"),
            Self::TooDeep(path) => write!(f, "`{path}` is nested too deeply"),
            Self::UnknownKey { path, near: Some(near), .. } => {
                write!(f, "unknown key `{path}`; did you mean `{near}`?")
            }
            Self::UnknownKey { path, near: None, known } => {
                write!(f, "unknown key `{path}`; known there: {}", known.join(", "))
            }
            Self::Foreign { path, instead } => write!(f, "`{path}` is not carried out by Skerry: {instead}"),
            Self::Kind { path, wanted, found } if path.depth() == 0 => write!(f, "wanted {wanted}, found {found}"),
            Self::Kind { path, wanted, found } => write!(f, "`{path}`: wanted {wanted}, found {found}"),
            Self::Value { path, why } => write!(f, "`{path}`: {why}"),
        }
    }
}

impl Problem {
    /// Something that is wrong with the value at a path of a text.
    #[must_use]
    pub fn of_value(source: &Source, text: &str, path: KeyPath, why: String) -> Self {
        let line = line_of(text, path.segments());
        Self { source: source.clone(), line, fault: Fault::Value { path, why } }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.source, self.fault),
            None => write!(f, "{}: {}", self.source, self.fault),
        }
    }
}

/// All that is wrong, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, or `Ok` if there are none.
    ///
    /// # Errors
    /// If there are any.
    pub fn none_in(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// One problem.
    pub(crate) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
