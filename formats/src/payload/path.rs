//! Paths of files in a payload.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text_type;

/// A path that stays below the folder it is laid out in: `bin/kube`. At most 200 bytes and 8 parts; each part is a letter or
/// digit, then `[0-9A-Za-z._+-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

/// Text that is no [`FilePath`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a plain path below a folder: `{0}`")]
pub struct BadFilePath(String);

text_type!(FilePath);

impl FilePath {
    /// The folders above, outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }
}

impl FromStr for FilePath {
    type Err = BadFilePath;

    fn from_str(text: &str) -> Result<Self, BadFilePath> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
        let part = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(plain);
        let fits = text.len() <= 200 && text.split('/').count() <= 8 && text.split('/').all(part);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadFilePath(text.chars().take(80).collect())) }
    }
}
