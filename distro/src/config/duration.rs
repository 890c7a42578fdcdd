//! Spans of time in Go's notation, as Kubernetes writes them: `8760h`, `1h30m`, `0.5s`.

use std::time::Duration;

/// Text that is no span of time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a span of time: `{0}`; wanted: as in `8760h`, `1h30m` or `30s`")]
pub struct BadDuration(String);

/// Units, each with its length in nanoseconds; longer names first where one begins with another.
const UNITS: [(&str, u128); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a span of time; a lone `0` is one too. What is finer than a nanosecond is cut off.
///
/// # Errors
/// If it is none, is below zero, or has more than a century.
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.chars().take(40).collect());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, 0_u128);
    while !rest.is_empty() {
        let (nanoseconds, left) = part(rest).ok_or_else(bad)?;
        total = total.checked_add(nanoseconds).filter(|total| *total <= CENTURY).ok_or_else(bad)?;
        rest = left;
    }
    if text.is_empty() {
        return Err(bad());
    }
    let fraction = u32::try_from(total % 1_000_000_000).map_err(|_| bad())?;
    Ok(Duration::new(u64::try_from(total / 1_000_000_000).map_err(|_| bad())?, fraction))
}

const CENTURY: u128 = 100 * 366 * 24 * 3_600_000_000_000;

/// One number with its unit, in nanoseconds, and what follows.
fn part(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, left) = rest.split_at(end);
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    let fraction = fraction.get(..fraction.len().min(18))?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nanoseconds =
        number(whole)?.checked_mul(*length)?.checked_add(number(fraction)?.checked_mul(*length)? / scale)?;
    Some((nanoseconds, left))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The notation of a span of time: whole seconds where it has no parts of one, else nanoseconds.
#[must_use]
pub fn text(span: Duration) -> String {
    if span.subsec_nanos() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ns", span.as_nanos()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{parse, text};

    #[test]
    fn spans_are_sums_of_parts() {
        assert_eq!(parse("8760h0m0s"), Ok(Duration::from_secs(365 * 24 * 3600)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("1.5s500ms"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
        assert_eq!(parse(".5m"), Ok(Duration::from_secs(30)));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for bad in ["", "1", "h", "-1h", "1 h", "1d", "1h2", "1..5s", "999999999h", "1e3s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_span_or_refused(input in "[0-9.a-zµ]{0,24}") {
            if let Ok(span) = parse(&input) {
                prop_assert_eq!(parse(&text(span)), Ok(span));
            }
        }
    }
}
