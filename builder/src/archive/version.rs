//! Debian's version numbers and their order: Debian policy 5.6.12, deb-version(7).

use std::{cmp::Ordering, str::FromStr};

use serde::{Deserialize, Serialize};
use skerry_formats::text_type;

/// A version: `[epoch:]upstream[-revision]`. Two versions that compare as equal may be spelt differently (`1.0`, `1.00`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// Text that is no version.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a package version: `{0}`")]
pub struct BadVersion(String);

text_type!(Version);

impl Version {
    fn parts(&self) -> (u32, &str, &str) {
        let (epoch, rest) = match self.0.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or_default(), rest),
            None => (0, self.0.as_str()),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        (epoch, upstream, revision)
    }
}

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let (epoch, rest) = text.split_once(':').map_or(("0", text), |(epoch, rest)| (epoch, rest));
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '~' | ':');
        let number = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
        let fits = text.len() <= 256
            && number
            && epoch.parse::<u32>().is_ok()
            && !rest.is_empty()
            && !rest.starts_with('-')
            && !rest.ends_with('-')
            && rest.chars().all(known);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadVersion(text.chars().take(80).collect())) }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (epoch, upstream, revision) = self.parts();
        let (other_epoch, other_upstream, other_revision) = other.parts();
        epoch
            .cmp(&other_epoch)
            .then_with(|| compare(upstream, other_upstream))
            .then_with(|| compare(revision, other_revision))
    }
}

/// Compares runs of non-digits and runs of digits by turns.
fn compare(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (words, digits) = (split(&mut a, |c| !c.is_ascii_digit()), split(&mut a, |c| c.is_ascii_digit()));
        let (other, others) = (split(&mut b, |c| !c.is_ascii_digit()), split(&mut b, |c| c.is_ascii_digit()));
        let order = compare_words(words, other).then_with(|| compare_numbers(digits, others));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Takes the longest start of which every character fits.
fn split<'a>(text: &mut &'a str, fits: impl Fn(char) -> bool) -> &'a str {
    let end = text.find(|c| !fits(c)).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    *text = tail;
    head
}

/// `~` sorts before the end, the end before letters, letters before everything else.
fn compare_words(a: &str, b: &str) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let longest = a.len().max(b.len());
    let pairs = (0..longest).map(|at| weight(a.as_bytes().get(at)).cmp(&weight(b.as_bytes().get(at))));
    pairs.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
}

/// Numbers of any length, leading zeros ignored.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn known_orders() {
        let ascending = [
            ("1.0~beta1~svn1245", "1.0~beta1"),
            ("1.0~beta1", "1.0"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+b1"),
            ("1.0-1", "1.0-1+b1"),
            ("1.0-1~deb13u1", "1.0-1"),
            ("257.8-1~deb13u2", "257.9-1~deb13u1"),
            ("6.12.9-1", "6.12.48-1"),
            ("9:1", "10:0"),
            ("2", "1:1"),
            ("1.2.3", "1.2.3-1"),
            ("1.2-1-1", "1.2-1-2"),
            ("0.9", "0.10"),
            ("99999999999999999999998", "99999999999999999999999"),
        ];
        for (less, more) in ascending {
            assert_eq!(version(less).cmp(&version(more)), Ordering::Less, "{less} < {more}");
            assert_eq!(version(more).cmp(&version(less)), Ordering::Greater, "{more} > {less}");
        }
    }

    #[test]
    fn spellings_of_the_same_version_are_equal() {
        for (a, b) in [("1.0", "1.00"), ("0:1.0", "1.0"), ("1.0", "1.0-0")] {
            assert_eq!(version(a), version(b));
        }
    }

    #[test]
    fn text_that_is_no_version_is_rejected() {
        for bad in ["", ":1", "a:1", "1:", "1 0", "1/0", "-1", "1-", "4294967296:1"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(words in proptest::collection::vec("[0-9a-c.~+]{1,6}(-[0-9a~+]{1,3})?", 3)) {
            let v: Vec<Version> = words.iter().map(|word| version(word)).collect();
            prop_assert_eq!(v[0].cmp(&v[1]), v[1].cmp(&v[0]).reverse());
            if v[0] <= v[1] && v[1] <= v[2] {
                prop_assert!(v[0] <= v[2]);
            }
            prop_assert_eq!(v[0].cmp(&v[0].clone()), Ordering::Equal);
        }

        #[test]
        fn no_text_makes_parsing_panic(text in ".{0,40}") {
            let _either = text.parse::<Version>();
        }
    }
}
