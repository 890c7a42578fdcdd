//! The nearest known word to a misspelt one, for error hints.

/// The known word closest to `word`, if it is close enough to be a likely typing error.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters in the wrong case count as one mistake together.
fn distance(word: &str, candidate: &str) -> usize {
    let lower = strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase());
    strsim::damerau_levenshtein(word, candidate).min(lower + 1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_swapped_letter_finds_its_word() {
        assert_eq!(nearest("hostnmae", ["role", "hostname"]), Some("hostname"));
    }

    #[test]
    fn a_word_in_another_case_finds_its_own() {
        assert_eq!(nearest("podCidr", ["podCIDR", "serviceCIDR"]), Some("podCIDR"));
    }

    #[test]
    fn a_stranger_finds_nothing() {
        assert_eq!(nearest("banana", ["role", "hostname"]), None);
    }
}
