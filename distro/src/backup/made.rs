//! The names of backups, which tell when each was made, and which of them have had their time.

use std::{fmt, str::FromStr};

use crate::pki::UnixTime;

/// `sk8s_backup_2026-11-21T13-45-00Z.tar.zst`: sorted by name is sorted by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupName(UnixTime);

const HEAD: &str = "sk8s_backup_";
const TAIL: &str = ".tar.zst";

/// A file of another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a backup")]
pub struct NoBackup;

impl BackupName {
    /// The name of a backup made now. A clock that was never set is taken for the earliest that it can rightly show.
    #[must_use]
    pub fn made(now: UnixTime) -> Self {
        Self(now.floored())
    }

    /// When it was made.
    #[must_use]
    pub const fn at(self) -> UnixTime {
        self.0
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.0.to_date();
        let (hour, minute, second) = date.to_hms();
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(f, "{HEAD}{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z{TAIL}")
    }
}

impl FromStr for BackupName {
    type Err = NoBackup;

    fn from_str(text: &str) -> Result<Self, NoBackup> {
        let middle = text.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(TAIL)).ok_or(NoBackup)?;
        let format = time::macros::format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]Z");
        let date = time::PrimitiveDateTime::parse(middle, format).map_err(|_| NoBackup)?;
        let seconds = u64::try_from(date.assume_utc().unix_timestamp()).map_err(|_| NoBackup)?;
        Ok(Self(UnixTime(seconds)))
    }
}

/// The names, of all in a folder, to remove so that the `keep` latest stay. What is no backup of ours is nobody's to remove.
#[must_use]
pub fn expired(names: &[String], keep: usize) -> Vec<&String> {
    let mut found: Vec<(BackupName, &String)> =
        names.iter().filter_map(|name| Some((name.parse().ok()?, name))).collect();
    found.sort();
    let count = found.len().saturating_sub(keep);
    found.into_iter().take(count).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BackupName, expired};
    use crate::pki::UnixTime;

    #[test]
    fn a_name_tells_its_time() {
        let name = BackupName::made(UnixTime(1_795_269_900)).to_string();
        assert_eq!(name, "sk8s_backup_2026-11-21T14-05-00Z.tar.zst");
        assert_eq!(name.parse::<BackupName>().expect("ours").at(), UnixTime(1_795_269_900));
    }

    #[test]
    fn a_clock_in_1970_makes_a_name_all_the_same() {
        assert_eq!(BackupName::made(UnixTime(5)).to_string(), "sk8s_backup_2025-01-01T00-00-00Z.tar.zst");
    }

    #[test]
    fn the_oldest_go_and_strangers_stay() {
        let names =
            ["sk8s_backup_2026-01-02T00-00-00Z.tar.zst", "mine.tar.zst", "sk8s_backup_2026-01-01T00-00-00Z.tar.zst"]
                .map(str::to_owned);
        assert_eq!(expired(&names, 1), [&names[2]]);
        assert!(expired(&names, 2).is_empty());
    }

    proptest! {
        #[test]
        fn names_sort_as_their_times(a in 0_u64..200_000_000_000, b in 0_u64..200_000_000_000) {
            let (a, b) = (BackupName::made(UnixTime(a)), BackupName::made(UnixTime(b)));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
            prop_assert_eq!(a.to_string().parse::<BackupName>(), Ok(a));
        }

        #[test]
        fn any_text_is_a_name_or_is_not(text in "\\PC{0,60}") {
            let _ = text.parse::<BackupName>();
        }
    }
}
