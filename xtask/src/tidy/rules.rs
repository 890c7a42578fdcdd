//! The rules that a single file can break.

use std::path::Path;

use super::{
    Source,
    functions::{self, Shape},
    lexer,
};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const PARAMETERS: usize = 4;
const LAUNCHER_LINES: usize = 50;

/// Marks of unfinished work, in halves so that this file does not carry them.
const MARKERS: [(&str, &str); 4] = [("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("HA", "CK:")];
/// What only a test may do; `.expect` is left to clippy, which knows whose method it is.
const TEST_WORDS: [&str; 6] =
    [".unwrap()", ".unwrap_err()", "panic!(", "unimplemented!(", "(clippy::unwrap_used", "(clippy::expect_used"];
/// Crates that must not know each other: a manifest, and what it may not name.
const STRANGERS: [(&str, &[&str]); 4] = [
    ("builder/Cargo.toml", &["skerryd"]),
    ("agent/Cargo.toml", &["skerry ", "skerry.", "sk8s", "skerry-qemu"]),
    ("distro/Cargo.toml", &["skerry ", "skerry.", "skerryd", "skerry-qemu"]),
    ("formats/Cargo.toml", &["tokio", "nix", "ureq", "skerry ", "skerry.", "skerryd", "sk8s"]),
];

/// Everything that is wrong with a file, a line each.
pub fn of_file(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |line: usize, what: String| wrong.push(format!("{}:{line}: {what}", source.path.display()));
    let lines = source.text.lines().count();
    if source.path == Path::new("skerry") && lines > LAUNCHER_LINES {
        say(lines, format!("the launcher has {lines} lines; the cap is {LAUNCHER_LINES}"));
    }
    for (number, line) in source.text.lines().enumerate() {
        if MARKERS.iter().any(|(head, tail)| has_word(line, &format!("{head}{tail}"))) {
            say(number + 1, "a mark of unfinished work".to_owned());
        }
    }
    strangers(source, &mut say);
    if source.is_rust() {
        if lines > FILE_LINES {
            say(lines, format!("{lines} lines; the cap is {FILE_LINES}"));
        }
        if !source.text.starts_with("//!") {
            say(1, "no `//!` head".to_owned());
        }
        of_functions(source, &mut say);
        of_words(source, &mut say);
    }
    wrong
}

fn of_functions(source: &Source, say: &mut impl FnMut(usize, String)) {
    for function in functions::find(&source.text) {
        let (name, count) = (&function.name, function.parameters.len());
        if function.lines > FUNCTION_LINES {
            say(function.line, format!("`{name}` has {} lines; the cap is {FUNCTION_LINES}", function.lines));
        }
        if function.shape == Shape::OfTrait {
            continue;
        }
        if count > PARAMETERS {
            say(function.line, format!("`{name}` takes {count} parameters; the cap is {PARAMETERS}"));
        }
        if function.parameters.iter().any(|parameter| parameter.ends_with(": bool")) {
            say(function.line, format!("`{name}` takes a `bool`; an enum with two variants says what it means"));
        }
    }
}

/// Words that are for tests only, and `unsafe` outside the modules that may use it.
fn of_words(source: &Source, say: &mut impl FnMut(usize, String)) {
    let code = lexer::code_only(&source.text);
    let product = code.split("#[cfg(test)]").next().unwrap_or_default();
    let path = source.path.to_string_lossy();
    let system = path.contains("/src/sys/") || path.ends_with("/src/sys.rs");
    for (number, line) in product.lines().enumerate() {
        if !source.is_test()
            && let Some(word) = TEST_WORDS.iter().find(|word| line.contains(**word))
        {
            say(number + 1, format!("`{word}` outside a test"));
        }
        if !system && has_word(line, "unsafe") {
            say(number + 1, "`unsafe` outside `sys`".to_owned());
        }
    }
}

fn strangers(source: &Source, say: &mut impl FnMut(usize, String)) {
    let rule = STRANGERS.iter().find(|(manifest, _)| source.path == Path::new(manifest));
    let Some((_, strangers)) = rule else { return };
    for (number, line) in source.text.lines().enumerate() {
        if let Some(stranger) = strangers.iter().find(|stranger| line.starts_with(**stranger)) {
            say(number + 1, format!("this crate must not depend on `{}`", stranger.trim_end_matches([' ', '.'])));
        }
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
    line.match_indices(word)
        .any(|(at, _)| edge(line[..at].chars().next_back()) && edge(line[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(path: &str, text: &str) -> Vec<String> {
        of_file(&Source { path: path.into(), text: text.into() })
    }

    #[test]
    fn each_rule_is_named_with_its_line() {
        let marker = format!("{}{}", "TO", "DO");
        let text =
            format!("fn a(on: bool) {{\n    b.unwrap(); // {marker}\n}}\n#[cfg(test)]\nfn t() {{ c.unwrap() }}\n");
        assert_eq!(
            wrong("builder/src/a.rs", &text),
            [
                "builder/src/a.rs:2: a mark of unfinished work",
                "builder/src/a.rs:1: no `//!` head",
                "builder/src/a.rs:1: `a` takes a `bool`; an enum with two variants says what it means",
                "builder/src/a.rs:2: `.unwrap()` outside a test",
            ]
        );
        assert!(wrong("builder/tests/a.rs", "//! A.\nfn t() { c.unwrap() }\n").is_empty());
    }

    #[test]
    fn unsafe_belongs_to_sys() {
        let text = "//! A.\nfn a() { unsafe { b() } }\n";
        assert_eq!(wrong("builder/src/a.rs", text), ["builder/src/a.rs:2: `unsafe` outside `sys`"]);
        assert!(wrong("agent/src/sys/dm.rs", text).is_empty());
    }

    #[test]
    fn agent_and_builder_never_meet() {
        assert_eq!(
            wrong("agent/Cargo.toml", "[dependencies]\nskerry.workspace = true\nskerry-formats.workspace = true\n"),
            ["agent/Cargo.toml:2: this crate must not depend on `skerry`"]
        );
    }
}
