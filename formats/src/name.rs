//! Names that become file names, labels and host names: short, lower-case, harmless.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text_type;

/// A name of a board, recipe, overlay, component or cluster: `[a-z0-9]`, then up to 62 of `[a-z0-9._-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Text that is no [`Name`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a name: `{0}`; wanted: a lower-case letter or digit, then up to 62 of `a-z 0-9 . _ -`")]
pub struct BadName(String);

text_type!(Name);

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = (1..=63).contains(&text.len())
            && text.starts_with(plain)
            && text.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'));
        if fits { Ok(Self(text.to_owned())) } else { Err(BadName(text.chars().take(80).collect())) }
    }
}
