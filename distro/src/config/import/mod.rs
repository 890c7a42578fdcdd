//! Converts k0s's configuration (`k0s.k0sproject.io/v1beta1`, kind ClusterConfig) to ours, and tells what that costs.

mod charts;
mod lists;
mod network;
mod rules;
mod storage;
mod work;

use std::fmt;

use serde_yaml_ng::Value;

use super::{raw::Raw, settings::Settings};
use crate::supervisor::chain;
use work::Work;

/// What came of a file of k0s's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// A configuration of ours.
    pub text: String,
    /// What is to be known of it, in the order of the file.
    pub remarks: Vec<Remark>,
}

/// Something to be known of a key of k0s's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The key in k0s's file.
    pub key: String,
    /// How much it matters.
    pub weight: Weight,
    /// What it is.
    pub text: String,
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// sk8s does the same in another way, or has no need to.
    Note,
    /// What was asked for is not done.
    Lost,
    /// sk8s refuses what came of it.
    Refused,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Note => "note",
            Weight::Lost => "lost",
            Weight::Refused => "refused",
        };
        write!(f, "{weight}: {}: {}", self.key, self.text)
    }
}

/// A file that is no configuration of k0s's.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No YAML.
    #[error("no YAML")]
    Yaml(#[source] serde_yaml_ng::Error),
    /// Something else.
    #[error("`{key}` is `{found}`; wanted: `{wanted}`")]
    Other {
        /// `apiVersion` or `kind`.
        key: &'static str,
        /// What was written.
        found: String,
        /// What can be converted.
        wanted: &'static str,
    },
    /// A list where a text should be, or the like.
    #[error("a value is not of the kind that its key takes")]
    Shape(#[source] serde_yaml_ng::Error),
    /// The result could not be written.
    #[error("could not write the configuration")]
    Write(#[source] serde_yaml_ng::Error),
}

/// Converts the text of a k0s.yaml.
///
/// # Errors
/// If it is no YAML, another kind of document, or has values of other kinds than k0s's.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    let source: Value = serde_yaml_ng::from_str(text).map_err(ImportError::Yaml)?;
    is(&source, "apiVersion", "k0s.k0sproject.io/v1beta1")?;
    is(&source, "kind", "ClusterConfig")?;
    let mut work = Work::new(&source);
    rules::walk(&mut work);
    let (made, mut remarks) = work.done();
    let raw: Raw = serde_yaml_ng::from_value(made).map_err(ImportError::Shape)?;
    let invalid = Settings::check(&raw, "host").err().unwrap_or_default();
    remarks.extend(invalid.iter().map(|invalid| Remark {
        key: "result".to_owned(),
        weight: Weight::Refused,
        text: chain(invalid),
    }));
    let text = raw.to_yaml().map_err(ImportError::Write)?;
    Ok(Imported { text, remarks })
}

/// A key that is not there is taken to be right.
fn is(source: &Value, key: &'static str, wanted: &'static str) -> Result<(), ImportError> {
    match source.get(key).map(|value| value.as_str().unwrap_or_default()) {
        Some(found) if found != wanted => Err(ImportError::Other { key, found: found.to_owned(), wanted }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
