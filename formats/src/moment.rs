//! Points in time as seeds and Secrets write them: RFC 3339, in UTC, whole seconds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::text_form;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted; written as `2027-01-15T08:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub u64);

/// A text that is no [`Moment`].
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a point in time such as `2027-01-15T08:00:00Z`")]
pub struct BadMoment;

/// The last second of the year 9999, the last that the form can say.
const LAST: u64 = 253_402_300_799;
const DAY: u64 = 86_400;
/// Days of 400 years.
const ERA: u64 = 146_097;

/// Days since 1970-01-01 of a date of the Gregorian calendar from then on; years are counted from March, so that a leap
/// day is a year's last.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let shifted = if month > 2 { year } else { year - 1 };
    let of_era = shifted % 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    shifted / 400 * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970-01-01: the inverse of [`days`].
const fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let of_era = shifted % ERA;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let calendar_month = if month < 10 { month + 3 } else { month - 9 };
    let january_or_february = if calendar_month <= 2 { 1 } else { 0 };
    (shifted / ERA * 400 + year + january_or_february, calendar_month, day)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.min(LAST);
        let (year, month, day) = date(seconds / DAY);
        let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let number = |from: usize, to: usize| -> Option<u64> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let read = || {
            let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
            let [hour, minute, second] = [number(11, 13)?, number(14, 16)?, number(17, 19)?];
            let sane = year >= 1970 && hour < 24 && minute < 60 && second < 60 && (1..=12).contains(&month) && day > 0;
            sane.then(|| Self(days(year, month, day) * DAY + hour * 3600 + minute * 60 + second))
        };
        // What is written back is the same only for a date that exists, with every sign in its place.
        read().filter(|moment| moment.to_string() == text).ok_or(BadMoment)
    }
}

text_form!(Moment);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadMoment, LAST, Moment};

    #[test]
    fn known_moments_are_read_and_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            assert_eq!((text.parse(), Moment(seconds).to_string()), (Ok(Moment(seconds)), text.to_owned()));
        }
    }

    #[test]
    fn dates_that_do_not_exist_and_other_forms_are_refused() {
        for bad in [
            "",
            "2027-02-29T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "2027-01-00T00:00:00Z",
            "2027-01-15T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2027-01-15 08:00:00Z",
            "2027-01-15T08:00:00+01:00",
            "2027-01-15T08:00:00.5Z",
            "\u{e4}027-01-15T08:00:00Z",
        ] {
            assert_eq!(bad.parse::<Moment>(), Err(BadMoment), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn moments_survive_their_text(seconds in 0..=LAST) {
            prop_assert_eq!(Moment(seconds).to_string().parse(), Ok(Moment(seconds)));
        }

        #[test]
        fn later_is_later_as_text_too(a in 0..=LAST, b in 0..=LAST) {
            prop_assert_eq!(a.cmp(&b), Moment(a).to_string().cmp(&Moment(b).to_string()));
        }

        #[test]
        fn any_text_is_a_moment_or_refused(text in "\\PC{0,30}") {
            let _ = text.parse::<Moment>();
        }
    }
}
