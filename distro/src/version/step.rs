//! Which version may follow which. Pure.

use super::Release;

/// A version that may not go on where another left off. The hint is the next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An older minor version.
    #[error(
        "{last} ran here before, and {own} may not read what that has written: Kubernetes goes back no minor version"
    )]
    Older {
        /// What ran here.
        last: Release,
        /// What would.
        own: Release,
    },
    /// More than one minor version on.
    #[error("{last} ran here before, and {own} leaves minor versions out: Kubernetes goes one at a time")]
    Skips {
        /// What ran here.
        last: Release,
        /// What would.
        own: Release,
    },
}

impl Refused {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Older { last, .. } => {
                format!("run {last} again, or restore the backup that was made before it came: docs/upgrades.md")
            }
            Self::Skips { last, .. } => {
                format!("run a sk8s v{}.{} first, until the node is Ready", last.major, last.minor.saturating_add(1))
            }
        }
    }
}

/// Judges a step from what ran last, if anything did; what it steps from, if that is another version.
///
/// # Errors
/// If Kubernetes does not know such a step.
pub fn step(last: Option<Release>, own: Release) -> Result<Option<Release>, Refused> {
    let Some(last) = last else { return Ok(None) };
    let (from, to) = ((last.major, last.minor), (own.major, own.minor));
    if to < from {
        Err(Refused::Older { last, own })
    } else if to != from && to != (last.major, last.minor.saturating_add(1)) {
        Err(Refused::Skips { last, own })
    } else {
        Ok((last != own).then_some(last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Refused, Release, step as judge};

    fn release(text: &str) -> Release {
        text.parse().expect("a version")
    }

    fn step(last: &str, own: &str) -> Result<Option<Release>, Refused> {
        judge(Some(release(last)), release(own))
    }

    #[test]
    fn the_first_and_the_same_need_nothing() {
        assert_eq!(judge(None, release("v1.36.3+sk8s.1")), Ok(None));
        assert_eq!(step("v1.36.3+sk8s.1", "v1.36.3+sk8s.1"), Ok(None));
    }

    #[test]
    fn one_minor_version_on_and_patches_both_ways_are_steps() {
        for last in ["v1.35.9+sk8s.7", "v1.36.9+sk8s.1", "v1.36.0+sk8s.1", "v1.36.3+sk8s.2"] {
            assert_eq!(step(last, "v1.36.3+sk8s.1"), Ok(Some(release(last))));
        }
    }

    #[test]
    fn what_kubernetes_does_not_know_is_refused_with_the_way_out() {
        let older = step("v1.37.0+sk8s.1", "v1.36.3+sk8s.1").expect_err("older");
        assert!(older.hint().starts_with("run v1.37.0+sk8s.1 again"), "{}", older.hint());
        let skips = step("v1.34.1+sk8s.1", "v1.36.3+sk8s.1").expect_err("two on");
        assert_eq!(skips.hint(), "run a sk8s v1.35 first, until the node is Ready");
        assert!(step("v1.36.3+sk8s.1", "v2.36.3+sk8s.1").is_err(), "another major version");
    }

    proptest! {
        #[test]
        fn there_and_back_is_never_allowed_across_minor_versions(a: (u8, u8), b: (u8, u8)) {
            let release = |(minor, patch)| Release { major: 1, minor: u16::from(minor), patch: u16::from(patch), revision: 1 };
            let (a, b) = (release(a), release(b));
            let both = judge(Some(a), b).is_ok() && judge(Some(b), a).is_ok();
            prop_assert_eq!(both, a.minor == b.minor);
        }
    }
}
