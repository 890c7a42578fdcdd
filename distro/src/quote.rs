//! Words in the quoting of systemd's unit files and of the shell, and back.

use std::{iter::Peekable, str::Chars};

/// A line of words as systemd reads it (systemd.service(5), "Command lines"): quoted where needed, with `$` and `%`
/// doubled, since both stand for something there.
pub fn systemd(words: &[String]) -> String {
    words.iter().map(|word| systemd_word(word)).collect::<Vec<_>>().join(" ")
}

fn systemd_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.,:=@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '$' | '%' => text.extend([c, c]),
            _ => text.push(c),
        }
    }
    text.push('"');
    text
}

/// The words of such a line, as [`systemd`] writes them or as somebody else has.
pub fn from_systemd(line: &str) -> Vec<String> {
    let mut words = split(line, Dialect::Systemd);
    for word in &mut words {
        *word = word.replace("$$", "$").replace("%%", "%");
    }
    words
}

/// A line of words that a POSIX shell reads back: all in single quotes.
pub fn shell(words: &[String]) -> String {
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// One word for a POSIX shell.
pub fn shell_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The words of a shell's line in which nothing is to be expanded.
pub fn from_shell(line: &str) -> Vec<String> {
    split(line, Dialect::Shell)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// A backslash counts inside both kinds of quotes.
    Systemd,
    /// A backslash counts outside single quotes.
    Shell,
}

fn split(line: &str, dialect: Dialect) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return words;
        }
        words.push(word(&mut rest, dialect));
    }
}

fn word(rest: &mut Peekable<Chars<'_>>, dialect: Dialect) -> String {
    let (mut word, mut quote) = (String::new(), None);
    while let Some(c) = rest.next_if(|c| quote.is_some() || !c.is_whitespace()) {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('\\', Some('\'')) if dialect == Dialect::Shell => word.push(c),
            ('\\', _) => word.extend(rest.next()),
            _ => word.push(c),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_words_stay_plain() {
        let words = ["controller", "--data-dir=/srv/k 8s", "100%", "a$b"].map(ToOwned::to_owned);
        assert_eq!(systemd(&words), "controller \"--data-dir=/srv/k 8s\" \"100%%\" \"a$$b\"");
        assert_eq!(shell(&words), "'controller' '--data-dir=/srv/k 8s' '100%' 'a$b'");
    }

    #[test]
    fn what_a_person_wrote_is_read_too() {
        assert_eq!(from_systemd("  a 'b c' \"d\\\"e\" f\\ g "), ["a", "b c", "d\"e", "f g"]);
        assert_eq!(from_shell("a \"b c\" 'd\\e'"), ["a", "b c", "d\\e"]);
    }

    proptest! {
        #[test]
        fn every_word_comes_back(words in proptest::collection::vec("\\PC{0,12}", 0..6)) {
            prop_assert_eq!(from_systemd(&systemd(&words)), words.clone());
            prop_assert_eq!(from_shell(&shell(&words)), words.clone());
            prop_assert_eq!(from_shell(&from_shell(&shell_word(&shell(&words))).concat()), words);
        }
    }
}
