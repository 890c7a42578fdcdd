//! On which line of a YAML text a value stands. The parser does not tell, so that the text is looked through for block
//! keys by their columns. In flow style (`{a: {b: 1}}`) the line of the last key found in block style is given.

use super::path::Segment;

/// The line, from 1, of the value at a path; `None` if not even its first key is found.
pub fn line_of(text: &str, path: &[Segment]) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = Cursor { line: 0, column: None, kind: Kind::Key };
    let mut found = None;
    for segment in path {
        match at.find(&lines, segment) {
            Some(next) => at = next,
            None => break,
        }
        found = Some(at.line + 1);
    }
    found
}

/// A value that was found: its line, and the column of its key or dash.
#[derive(Clone, Copy)]
struct Cursor {
    line: usize,
    column: Option<usize>,
    kind: Kind,
}

/// What a value stands behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A key: a list below it may begin in the key's own column.
    Key,
    /// A dash: another one in its column is the next item.
    Item,
}

impl Cursor {
    /// The place of a segment within the value here.
    fn find(self, lines: &[&str], segment: &Segment) -> Option<Self> {
        let mut column = None;
        let mut items = 0;
        for (number, line) in lines.iter().enumerate().skip(self.line) {
            for (start, word) in tokens(line) {
                let first = number == self.line;
                let list = self.kind == Kind::Key && word == "-" && !first;
                let inside = self.column.is_none_or(|parent| start > parent || (list && start == parent));
                if !inside {
                    if first {
                        continue;
                    }
                    return None;
                }
                let level = *column.get_or_insert(start);
                if start != level {
                    continue;
                }
                match segment {
                    Segment::Key(key) if is_key(word, key) => {
                        return Some(Self { line: number, column: Some(start), kind: Kind::Key });
                    }
                    Segment::Index(wanted) if word == "-" && items == *wanted => {
                        return Some(Self { line: number, column: Some(start), kind: Kind::Item });
                    }
                    Segment::Index(_) if word == "-" => items += 1,
                    _ => {}
                }
            }
        }
        None
    }
}

/// Dashes and the text behind them, each with its column.
fn tokens(line: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_end();
    let mut column = 0;
    loop {
        let text = rest.trim_start_matches(' ');
        column += rest.len() - text.len();
        match text.strip_prefix('-') {
            Some(behind) if behind.is_empty() || behind.starts_with(' ') => {
                tokens.push((column, "-"));
                column += 1;
                rest = behind;
            }
            _ => {
                if !text.is_empty() && !text.starts_with('#') && text != "---" {
                    tokens.push((column, text));
                }
                return tokens;
            }
        }
    }
}

fn is_key(word: &str, key: &str) -> bool {
    let unquoted = word.strip_prefix(key);
    let quoted = |quote: char| word.strip_prefix(quote)?.strip_prefix(key)?.strip_prefix(quote);
    [unquoted, quoted('"'), quoted('\'')].into_iter().flatten().any(|rest| rest.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::KeyPath;

    const TEXT: &str = "#cloud-config\nhostname: a\nwrite_files:\n- path: /etc/a\n  content: |\n    role: x\n- path: \
                        /etc/b\n  mode: 1\nskerry:\n  network:\n    - name: eth0\n      dns: [1, 2]\n  rolle: single\n";

    #[test]
    fn keys_and_items_are_found() {
        let root = KeyPath::default();
        for (path, line) in [
            (root.key("hostname"), Some(2)),
            (root.key("write_files").item(1).key("mode"), Some(8)),
            (root.key("skerry").key("rolle"), Some(13)),
            (root.key("skerry").key("network").item(0).key("dns").item(1), Some(12)),
            (root.key("nowhere"), None),
            (root.key("write_files").item(0).key("mode"), Some(4)),
        ] {
            assert_eq!(line_of(TEXT, path.segments()), line, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-: a\"\n#]{0,200}", index in 0..4usize) {
            let path = KeyPath::default().key("a").item(index).key("a");
            let line = line_of(&text, path.segments());
            prop_assert!(line.is_none_or(|line| line <= text.lines().count()));
        }
    }
}
