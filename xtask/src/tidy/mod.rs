//! `cargo xtask tidy`: the house caps, checked on every tracked file.

mod functions;
mod lexer;
mod rules;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{files, process};

/// A tracked file.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.extension() == Some(OsStr::new("rs"))
    }

    /// Whether the whole file is a test, or made for tests alone.
    fn is_test(&self) -> bool {
        let test = |part: &OsStr| part == "tests" || part == "tests.rs" || part == "fixture";
        self.path.components().skip(1).any(|part| test(part.as_os_str()))
    }
}

/// Checks all tracked files; each violation is a line.
pub fn run() -> Result<ExitCode, String> {
    let listing =
        process::run("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"].map(OsStr::new))?;
    let mut sources = Vec::new();
    for path in listing.stdout.split_terminator('\0').map(PathBuf::from).filter(|path| readable(path)) {
        sources.push(Source { text: files::read(&path)?, path });
    }
    let mut violations: Vec<String> = sources.iter().flat_map(rules::of_file).collect();
    let (lengths, functions) = measure(&sources);
    violations.extend(spread("files", &lengths, [130, 320]));
    violations.extend(spread("functions", &functions, [12, 35]));
    for violation in &violations {
        println!("{violation}");
    }
    println!("{} files, {} functions, {} violations", lengths.len(), functions.len(), violations.len());
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Text files of ours; the lock and vendored sums are neither.
fn readable(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let kinds = ["rs", "toml", "md", "go", "yaml", "sh"].map(OsStr::new);
    let scripts = ["skerry", "check", "run"].map(OsStr::new);
    path.is_file() && (path.extension().is_some_and(|kind| kinds.contains(&kind)) || scripts.contains(&name))
}

/// Lengths of all Rust files and of all their functions, sorted.
fn measure(sources: &[Source]) -> (Vec<usize>, Vec<usize>) {
    let rust: Vec<&Source> = sources.iter().filter(|source| source.is_rust()).collect();
    let mut lengths: Vec<usize> = rust.iter().map(|source| source.text.lines().count()).collect();
    let mut functions: Vec<usize> =
        rust.iter().flat_map(|source| functions::find(&source.text)).map(|function| function.lines).collect();
    lengths.sort_unstable();
    functions.sort_unstable();
    (lengths, functions)
}

/// Median and 90th percentile against their caps.
fn spread(what: &str, sorted: &[usize], caps: [usize; 2]) -> Vec<String> {
    let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)));
    [(50, caps[0]), (90, caps[1])]
        .into_iter()
        .filter_map(|(percent, cap)| at(percent).filter(|lines| **lines > cap).map(|lines| (percent, lines, cap)))
        .map(|(percent, lines, cap)| format!("{percent} % of the {what} have up to {lines} lines; the cap is {cap}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_names_the_percentile_that_is_too_high() {
        let sorted: Vec<usize> = (1..=100).collect();
        assert_eq!(spread("files", &sorted, [60, 95]), Vec::<String>::new());
        assert_eq!(spread("files", &sorted, [60, 80]), ["90 % of the files have up to 91 lines; the cap is 80"]);
    }
}
