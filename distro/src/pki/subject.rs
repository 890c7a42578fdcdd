//! Names of users and groups, as certificates have them.

use std::str::FromStr;

use skerry_formats::text_type;

/// Name of a user (CN of a certificate) or of a group (O): 1 to 64 characters (`ub-common-name` of RFC 5280), letters, digits
/// and `.`, `-`, `_`, `:`, `@`, first a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

/// No such name.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the name of a user or group: `{0}`; wanted: at most 64 letters, digits, `.`, `-`, `_`, `:` and `@`")]
pub struct BadSubject(String);

text_type!(Subject);

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        let known = |c: char| c.is_ascii_alphanumeric() || ".-_:@".contains(c);
        if text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(known) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadSubject(text.chars().filter(|c| !c.is_control()).take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn a_name_is_one_that_certificates_and_clusters_take() {
        for good in ["ada", "ada@farm.example", "system:masters", "7", "A_b-c.d"] {
            assert!(good.parse::<Subject>().is_ok(), "{good}");
        }
        for bad in ["", "-ada", "ada lovelace", "ada,system:masters", "a\nb", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }
}
