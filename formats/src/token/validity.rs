//! How long a token is good.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::text_form;

/// How long a token is good; `None` is for ever. Written as `30m`, `100h`, `7d` or `0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Validity(pub Option<Duration>);

/// A text that is no [`Validity`].
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a duration: `{0}`; wanted: a number with s, m, h or d, as in `100h`, or 0")]
pub struct BadValidity(String);

const UNITS: [(&str, u64); 4] = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];

impl FromStr for Validity {
    type Err = BadValidity;

    fn from_str(text: &str) -> Result<Self, BadValidity> {
        let bad = || BadValidity(text.chars().filter(|c| !c.is_control()).take(80).collect());
        if text == "0" {
            return Ok(Self(None));
        }
        let strip = |(unit, seconds): &(&str, u64)| Some((text.strip_suffix(unit)?, *seconds));
        let (number, unit) = UNITS.iter().find_map(strip).ok_or_else(bad)?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| plain).ok_or_else(bad)?;
        let seconds = number.checked_mul(unit).ok_or_else(bad)?;
        Ok(Self((seconds > 0).then(|| Duration::from_secs(seconds))))
    }
}

impl std::fmt::Display for Validity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.map_or(0, |span| span.as_secs());
        match UNITS.iter().find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{}{name}", seconds / unit),
            None => f.write_str("0"),
        }
    }
}

text_form!(Validity);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::Validity;

    #[test]
    fn a_token_is_good_for_hours_days_or_ever() {
        let seconds = |text: &str| text.parse::<Validity>().map(|validity| validity.0.map(|span| span.as_secs()));
        assert_eq!(seconds("100h"), Ok(Some(360_000)));
        assert_eq!(seconds("7d"), Ok(Some(604_800)));
        assert_eq!((seconds("0"), seconds("0s")), (Ok(None), Ok(None)));
        for bad in ["", "h", "1", "-1h", "+1h", "1w", "99999999999999999999h", "1\u{e4}"] {
            assert!(bad.parse::<Validity>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn spans_survive_their_text(seconds in 0_u64..10_000_000) {
            let validity = Validity((seconds > 0).then(|| Duration::from_secs(seconds)));
            prop_assert_eq!(validity.to_string().parse(), Ok(validity));
        }
    }
}
