//! Finding functions: where they start, how long they are, what they take.

use super::lexer;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, counted from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
    /// Its parameters but for `self`.
    pub parameters: Vec<String>,
}

/// All functions with a body, in order; also those in tests and those within others.
pub fn find(text: &str) -> Vec<Function> {
    let code = lexer::code_only(text);
    code.match_indices("fn ")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .filter_map(|(at, _)| function(&code, at))
        .collect()
}

fn function(code: &str, at: usize) -> Option<Function> {
    let rest = &code[at + 3..];
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return None; // a function pointer's type
    }
    let (open, close) = parentheses(rest)?;
    let body = rest[close..].find(['{', ';']).filter(|found| rest[close + found..].starts_with('{'))?;
    let end = closing(&rest[close + body..], '{', '}')?;
    let whole = &rest[..close + body + end + 1];
    let parameters = split(&rest[open + 1..close]).filter(|parameter| !is_self(parameter)).collect();
    let line = code[..at].matches('\n').count() + 1;
    Some(Function { name, line, lines: whole.matches('\n').count() + 1, parameters })
}

/// The parameter list's parentheses, behind any generic parameters.
fn parentheses(rest: &str) -> Option<(usize, usize)> {
    let mut depth = 0i32;
    let mut previous = ' ';
    for (at, c) in rest.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            '(' if depth == 0 => return closing(&rest[at..], '(', ')').map(|close| (at, at + close)),
            '{' | ';' => return None,
            _ => {}
        }
        previous = c;
    }
    None
}

/// Where the bracket that opens at the start closes.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The parts of a list between its own commas.
fn split(list: &str) -> impl Iterator<Item = String> {
    let mut parts = vec![String::new()];
    let mut depth = 0i32;
    let mut previous = ' ';
    for c in list.chars() {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if previous != '-' => depth -= 1,
            _ => {}
        }
        match (c, depth, parts.last_mut()) {
            (',', 0, _) => parts.push(String::new()),
            (_, _, Some(part)) => part.push(c),
            (_, _, None) => {}
        }
        previous = c;
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty())
}

fn is_self(parameter: &str) -> bool {
    parameter.split(':').next().unwrap_or_default().split([' ', '&']).any(|word| word == "self")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_parameters_are_counted() {
        let text = "trait T { fn none(&self); }\nfn a<F: Fn(u8) -> u8>(\n    f: F,\n    map: Map<A, B>,\n) -> fn(u8) {\n    \
                    if x { \"}\" }\n}\n    fn b(&mut self, on: bool) {}\n";
        let found = find(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].line, found[0].lines), ("a", 2, 6));
        assert_eq!(found[0].parameters, ["f: F", "map: Map<A, B>"]);
        assert_eq!(found[1].parameters, ["on: bool"]);
    }
}
