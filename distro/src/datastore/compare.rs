//! Compares two exports: `KEY VALUE TTL` a line, in the order of the keys' bytes, the first two in base64.

use std::io::{self, BufRead};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What two exports have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same keys with the same values, this many.
    Same(u64),
    /// The first key at which they part.
    Differs {
        /// The key, as text for people.
        key: String,
        /// How.
        how: Difference,
    },
}

/// How two exports differ at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The second does not have it.
    Missing,
    /// The first does not have it.
    Extra,
    /// Another value.
    Value,
}

/// Compares keys and values; what is left of a key's time is not the same at two moments.
///
/// # Errors
/// If one cannot be read.
pub fn compare(first: impl BufRead, second: impl BufRead) -> io::Result<Verdict> {
    let (mut first, mut second) = (first.lines(), second.lines());
    let mut count = 0;
    loop {
        let differs = |line: &str, how| Ok(Verdict::Differs { key: readable(key(line)), how });
        match (first.next().transpose()?, second.next().transpose()?) {
            (None, None) => return Ok(Verdict::Same(count)),
            (Some(a), None) => return differs(&a, Difference::Missing),
            (None, Some(b)) => return differs(&b, Difference::Extra),
            (Some(a), Some(b)) if key(&a) != key(&b) => {
                // In order, so the lower one is the one that the other side has not.
                let (left, right) = (STANDARD.decode(key(&a)), STANDARD.decode(key(&b)));
                let (line, how) =
                    if left.ok() < right.ok() { (a, Difference::Missing) } else { (b, Difference::Extra) };
                return differs(&line, how);
            }
            (Some(a), Some(b)) if value(&a) != value(&b) => return differs(&a, Difference::Value),
            (Some(_), Some(_)) => count += 1,
        }
    }
}

fn key(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn value(line: &str) -> &str {
    line.split(' ').nth(1).unwrap_or_default()
}

fn readable(key: &str) -> String {
    STANDARD.decode(key).map_or_else(|_| key.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;

    use super::{Difference, Verdict, compare};

    fn export(pairs: &BTreeMap<Vec<u8>, Vec<u8>>, ttl: &str) -> String {
        pairs.iter().map(|(k, v)| format!("{} {} {ttl}\n", STANDARD.encode(k), STANDARD.encode(v))).collect()
    }

    fn pairs(of: &[(&str, &str)]) -> BTreeMap<Vec<u8>, Vec<u8>> {
        of.iter().map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec())).collect()
    }

    fn verdict(first: &[(&str, &str)], second: &[(&str, &str)]) -> Verdict {
        let (a, b) = (export(&pairs(first), "0"), export(&pairs(second), "-1"));
        compare(a.as_bytes(), b.as_bytes()).expect("read")
    }

    #[test]
    fn the_first_key_at_which_they_part_is_named() {
        let differs = |key: &str, how| Verdict::Differs { key: key.to_owned(), how };
        let all = [("/a", "1"), ("/b", "2"), ("/c", "3")];
        assert_eq!(verdict(&all, &all), Verdict::Same(3));
        assert_eq!(verdict(&all, &[("/a", "1"), ("/c", "3")]), differs("/b", Difference::Missing));
        assert_eq!(verdict(&all[..1], &all), differs("/b", Difference::Extra));
        assert_eq!(verdict(&all, &[("/a", "1"), ("/aa", ""), ("/b", "2")]), differs("/aa", Difference::Extra));
        assert_eq!(verdict(&all, &[("/a", "1"), ("/b", "two"), ("/c", "3")]), differs("/b", Difference::Value));
    }

    proptest! {
        #[test]
        fn only_the_same_is_the_same(
            a in proptest::collection::btree_map(any::<Vec<u8>>(), any::<Vec<u8>>(), 0..6),
            b in proptest::collection::btree_map(any::<Vec<u8>>(), any::<Vec<u8>>(), 0..6),
        ) {
            let same = |x: &_, y: &_| {
                matches!(compare(export(x, "0").as_bytes(), export(y, "9").as_bytes()), Ok(Verdict::Same(_)))
            };
            prop_assert!(same(&a, &a));
            prop_assert_eq!(same(&a, &b), a == b);
        }
    }
}
