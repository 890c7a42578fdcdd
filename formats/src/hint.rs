//! The nearest known word to a misspelt one, for error hints.

/// The known word closest to `word`, if it is close enough to be a likely typing error.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_swapped_letter_finds_its_word() {
        assert_eq!(nearest("hostnmae", ["role", "hostname"]), Some("hostname"));
    }

    #[test]
    fn a_stranger_finds_nothing() {
        assert_eq!(nearest("banana", ["role", "hostname"]), None);
    }
}
