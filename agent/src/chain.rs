//! How an error is printed: once, at the edge, one cause a line.

use std::error::Error;

/// The error and each of its causes, outermost first.
#[must_use]
pub fn lines(error: &dyn Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    lines.extend(causes(error).map(|cause| format!("cause: {cause}")));
    lines
}

/// The error and its causes on one line.
#[must_use]
pub fn one_line(error: &dyn Error) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn causes<'a>(error: &'a (dyn Error + 'a)) -> impl Iterator<Item = &'a dyn Error> {
    std::iter::successors(error.source(), |cause: &&'a dyn Error| (*cause).source())
}
