//! `spec.storage.snapshots`: backups that a controller makes by itself.
//!
//! Off unless asked for. A backup beside the database does not outlive the card that both lie on, and what it costs is
//! written to that card: the whole database once more, each time, which is most of what an idle cluster writes at all. It
//! is worth that where `folder` is another disk, or where somebody fetches the files.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// Backups at intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshots {
    /// The time between two.
    pub interval: Interval,
    /// How many stay, at least one.
    pub keep: usize,
    /// Where they lie; `snapshots` in the data folder if `None`.
    pub folder: Option<PathBuf>,
}

/// `spec.storage.snapshots` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSnapshots {
    /// The time between two, as in `12h`; none are made without.
    pub interval: Option<String>,
    /// How many stay.
    pub keep: Option<usize>,
    /// Where they lie.
    pub folder: Option<PathBuf>,
}

/// Time between two backups: from ten minutes to a year, in whole minutes or hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    minutes: u32,
}

/// Snapshots that cannot be. Display begins with the key below `spec.storage`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSnapshots {
    /// No interval.
    #[error("snapshots.interval: not an interval: `{0}`; wanted: from `10m` to `8760h`")]
    Interval(String),
    /// Nothing would stay.
    #[error("snapshots.keep: at least 1")]
    Keep,
    /// A folder of unknown place.
    #[error("snapshots.folder: not an absolute path: `{}`", .0.display())]
    Folder(PathBuf),
    /// No interval, but the rest.
    #[error("snapshots: without effect without `interval`")]
    NoInterval,
}

/// How many stay where nothing is said.
const KEEP: usize = 5;

impl Snapshots {
    /// Checks `spec.storage.snapshots`; `None` where none are asked for.
    ///
    /// # Errors
    /// The first value that cannot be.
    pub fn validate(raw: &RawSnapshots) -> Result<Option<Self>, BadSnapshots> {
        let Some(interval) = &raw.interval else {
            return if *raw == RawSnapshots::default() { Ok(None) } else { Err(BadSnapshots::NoInterval) };
        };
        let keep = raw.keep.unwrap_or(KEEP);
        if keep == 0 {
            return Err(BadSnapshots::Keep);
        }
        if let Some(folder) = raw.folder.iter().find(|folder| !folder.is_absolute()) {
            return Err(BadSnapshots::Folder(folder.clone()));
        }
        Ok(Some(Self { interval: interval.parse()?, keep, folder: raw.folder.clone() }))
    }
}

impl Interval {
    /// Its length.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.minutes as u64 * 60)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minutes.is_multiple_of(60) {
            write!(f, "{}h", self.minutes / 60)
        } else {
            write!(f, "{}m", self.minutes)
        }
    }
}

impl FromStr for Interval {
    type Err = BadSnapshots;

    fn from_str(text: &str) -> Result<Self, BadSnapshots> {
        let bad = || BadSnapshots::Interval(text.chars().take(40).collect());
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(bad)?;
        let factor = match unit {
            "h" => 60,
            "m" => 1,
            _ => return Err(bad()),
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let minutes = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(bad)?;
        if digits && (10..=8760 * 60).contains(&minutes) { Ok(Self { minutes }) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadSnapshots, Interval, RawSnapshots, Snapshots};

    fn validate(yaml: &str) -> Result<Option<Snapshots>, BadSnapshots> {
        Snapshots::validate(&serde_yaml_ng::from_str::<RawSnapshots>(yaml).expect("well-formed"))
    }

    #[test]
    fn none_are_made_unless_asked_for() {
        assert_eq!(validate("{}"), Ok(None));
        assert_eq!(validate("{keep: 3}"), Err(BadSnapshots::NoInterval));
    }

    #[test]
    fn an_interval_is_enough() {
        let found = validate("{interval: 12h}").expect("valid").expect("some");
        assert_eq!((found.interval.length().as_secs(), found.keep, found.folder), (43_200, 5, None));
    }

    #[test]
    fn what_would_wear_out_or_keep_nothing_is_refused() {
        assert!(validate("{interval: 5m}").is_err());
        assert!(validate("{interval: +30m}").is_err());
        assert_eq!(validate("{interval: 1h, keep: 0}"), Err(BadSnapshots::Keep));
        assert!(matches!(validate("{interval: 1h, folder: here}"), Err(BadSnapshots::Folder(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_an_interval_or_refused(text in "\\PC{0,8}") {
            if let Ok(interval) = text.parse::<Interval>() {
                prop_assert_eq!(interval.to_string().parse::<Interval>(), Ok(interval));
            }
        }
    }
}
