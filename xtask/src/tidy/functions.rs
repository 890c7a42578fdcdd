//! Finding functions: where they start, how long they are, what they take.

use std::ops::Range;

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
    /// Who decided what it takes.
    pub shape: Shape,
}

/// Who decided what a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Whoever wrote it.
    Own,
    /// A trait that it implements.
    OfTrait,
}

/// All functions with a body, in order; also those in tests and those within others.
pub fn find(text: &str) -> Vec<Function> {
    let code = lexer::code_only(text);
    let traits = implementations(&code);
    code.match_indices("fn ")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .filter_map(|(at, _)| {
            let shape = if traits.iter().any(|range| range.contains(&at)) { Shape::OfTrait } else { Shape::Own };
            function(&code, at, shape)
        })
        .collect()
}

/// Where `impl Trait for Type` blocks are.
fn implementations(code: &str) -> Vec<Range<usize>> {
    let starts = code.match_indices("impl").filter(|(at, _)| *at == 0 || code[..*at].ends_with('\n'));
    let block = |(at, _): (usize, &str)| {
        let open = at + code[at..].find('{')?;
        let of_trait = code[at..open].contains(" for ");
        of_trait.then_some(())?;
        Some(at..open + closing(&code[open..], '{', '}')?)
    };
    starts.filter_map(block).collect()
}

fn function(code: &str, at: usize, shape: Shape) -> Option<Function> {
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
    Some(Function { name, line, lines: whole.matches('\n').count() + 1, parameters, shape })
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

    #[test]
    fn what_a_trait_asks_for_is_not_the_writers_choice() {
        let text =
            "impl A {\n    fn own(a: u8) {}\n}\nimpl<T> B for A<T> {\n    fn of_trait(a: u8) {}\n}\nfn free() {}\n";
        let shapes: Vec<_> = find(text).into_iter().map(|function| (function.name, function.shape)).collect();
        let wanted = [("own", Shape::Own), ("of_trait", Shape::OfTrait), ("free", Shape::Own)];
        assert_eq!(shapes, wanted.map(|(name, shape)| (name.to_owned(), shape)));
    }
}
