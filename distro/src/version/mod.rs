//! What this is, and what worked on a data folder before it.

mod last;
mod step;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use skerry_formats::text_form;

pub use last::{BadRecord, last, record};
pub use step::{Refused, step};

/// The version of the distribution: that of Kubernetes in it, and our revision.
pub const VERSION: &str = "v1.36.3+sk8s.1";

/// A version of the distribution, `v<major>.<minor>.<patch>+sk8s.<revision>`, in the order in which they follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Release {
    /// Kubernetes' major version.
    pub major: u16,
    /// Kubernetes' minor version.
    pub minor: u16,
    /// Kubernetes' patch version.
    pub patch: u16,
    /// Our revision.
    pub revision: u16,
}

/// Text that is no [`Release`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version of sk8s: `{0}`; wanted: `v1.2.3+sk8s.4`")]
pub struct BadRelease(String);

impl Release {
    /// This program's.
    ///
    /// # Errors
    /// Never for [`VERSION`] as it stands, which a test makes sure of.
    pub fn own() -> Result<Self, BadRelease> {
        VERSION.parse()
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch, revision } = self;
        write!(f, "v{major}.{minor}.{patch}+sk8s.{revision}")
    }
}

impl FromStr for Release {
    type Err = BadRelease;

    fn from_str(text: &str) -> Result<Self, BadRelease> {
        numbers(text).ok_or_else(|| BadRelease(text.chars().take(40).collect()))
    }
}

text_form!(Release);

fn numbers(text: &str) -> Option<Release> {
    let (kubernetes, revision) = text.strip_prefix('v')?.split_once("+sk8s.")?;
    let mut parts = kubernetes.split('.').map(number);
    let release =
        Release { major: parts.next()??, minor: parts.next()??, patch: parts.next()??, revision: number(revision)? };
    parts.next().is_none().then_some(release)
}

/// A decimal number as it would be written.
fn number(text: &str) -> Option<u16> {
    let number: u16 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Release, VERSION};

    #[test]
    fn our_own_version_is_one() {
        assert_eq!(Release::own().expect("ours").to_string(), VERSION);
    }

    #[test]
    fn what_is_not_quite_one_is_refused() {
        for text in
            ["", "v1.36.3", "1.36.3+sk8s.1", "v1.36+sk8s.1", "v1.36.3.4+sk8s.1", "v1.036.3+sk8s.1", "v1.+6.3+sk8s.1"]
        {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_release_is_read_as_it_is_written(numbers: (u16, u16, u16, u16)) {
            let (major, minor, patch, revision) = numbers;
            let release = Release { major, minor, patch, revision };
            prop_assert_eq!(release.to_string().parse(), Ok(release));
        }

        #[test]
        fn any_text_is_a_release_or_refused(text in "\\PC{0,30}") {
            let _ = text.parse::<Release>();
        }
    }
}
