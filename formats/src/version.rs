//! Versions of products and components, without a leading `v`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text_type;

/// An upstream version: a digit, then up to 62 of `[0-9A-Za-z.+~-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// Text that is no [`Version`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a version: `{0}`; wanted: a digit, then up to 62 of `0-9 A-Z a-z . + ~ -`")]
pub struct BadVersion(String);

text_type!(Version);

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '~' | '-');
        let fits = text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadVersion(text.chars().take(80).collect())) }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn a_leading_v_or_a_space_is_no_version() {
        assert!("1.36.3".parse::<Version>().is_ok());
        assert!("v1.36.3".parse::<Version>().is_err());
        assert!("1 2".parse::<Version>().is_err());
    }
}
