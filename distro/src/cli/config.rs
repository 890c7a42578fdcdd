//! `sk8s config`: a configuration to begin with, what is wrong with one, one made from k0s's.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::{args::Places, edit, own_node::OwnNode};
use crate::{
    config::{self, DEFAULT, ImportError, Problem, Weight},
    service::ServiceError,
    sys::{
        fs::{self, FsError},
        machine,
        process::ProcessError,
    },
};

/// What to do with configurations.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print the default configuration, with every key and what it does
    Create,
    /// Edit the node's configuration with $EDITOR; it is replaced only by a good one
    Edit {
        /// Configuration file [default: this node's]
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Say which file the node reads, whether it is good, and whether the node was started with it
    Status {
        /// Configuration file [default: this node's]
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Say everything that is wrong with a configuration
    Validate {
        /// Configuration file; `-` reads standard input [default: this node's]
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Print the configuration that a k0s.yaml is here, and say what has no equivalent
    Import {
        /// File of k0s's; `-` reads standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Fail if anything has no equivalent
        #[arg(long)]
        strict: bool,
    },
}

/// How problems are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A verb of `sk8s config` that failed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigVerbError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A stream.
    #[error("could not {0}")]
    Stream(&'static str, #[source] io::Error),
    /// No good configuration.
    #[error("`{}`: {count} {}", .path.display(), if *.count == 1 { "problem" } else { "problems" })]
    Problems {
        /// Which file.
        path: PathBuf,
        /// How many.
        count: usize,
    },
    /// The installed service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The editor.
    #[error(transparent)]
    Editor(#[from] ProcessError),
    /// What was edited is no good configuration.
    #[error("not replaced: {count} {} in `{}`", if *.count == 1 { "problem" } else { "problems" }, .copy.display())]
    Kept {
        /// Where it is kept.
        copy: PathBuf,
        /// How many problems.
        count: usize,
    },
    /// No file of k0s's.
    #[error("`{}` is no configuration of k0s's", .path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ImportError,
    },
    /// Something has no equivalent, and that was not to be.
    #[error("`{}`: {count} of its keys have no equivalent", .path.display())]
    Lost {
        /// Which file.
        path: PathBuf,
        /// How many.
        count: usize,
    },
}

impl ConfigVerbError {
    /// 2 for what the caller wrote wrong, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::File(_) | Self::Stream(..) | Self::Service(_) | Self::Editor(_) => 1,
            Self::Problems { .. } | Self::Kept { .. } | Self::Foreign { .. } | Self::Lost { .. } => 2,
        }
    }

    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Service(error) => error.hint(),
            Self::Kept { copy, .. } => {
                Some(format!("`sk8s config edit` goes on with it; to begin anew, remove `{}`", copy.display()))
            }
            Self::Editor(_) => Some("name an editor: `EDITOR=vi sk8s config edit`".to_owned()),
            _ => None,
        }
    }
}

/// Does what was asked for.
///
/// # Errors
/// If there is a problem, or a file or stream fails.
pub fn obey(verb: ConfigVerb, places: Places) -> Result<(), ConfigVerbError> {
    match verb {
        ConfigVerb::Create => print(DEFAULT),
        ConfigVerb::Edit { config } => edit::edit(OwnNode::find(places, config)?.file()),
        ConfigVerb::Status { config, output } => edit::standing(&OwnNode::find(places, config)?, output),
        ConfigVerb::Validate { config, output } => validate(OwnNode::find(places, config)?.file(), output),
        ConfigVerb::Import { file, strict } => import(&file, if strict { Weight::Lost } else { Weight::Refused }),
    }
}

/// The text of a configuration file; `-` is standard input.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> Result<String, ConfigVerbError> {
    if path == Path::new("-") {
        return io::read_to_string(io::stdin())
            .map_err(|source| ConfigVerbError::Stream("read standard input", source));
    }
    Ok(fs::read_to_string(path)?)
}

fn validate(path: &Path, output: Format) -> Result<(), ConfigVerbError> {
    let problems = config::problems(&read(path)?, &machine::host_name());
    match output {
        Format::Text => eprint!("{}", told(&problems)),
        Format::Json => print(&json(&serde_json::json!({ "problems": problems })))?,
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ConfigVerbError::Problems { path: path.to_owned(), count: problems.len() })
    }
}

pub(super) fn told(problems: &[Problem]) -> String {
    let line = |problem: &Problem| problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    problems.iter().map(|problem| format!("{}{}\n", line(problem), problem.message)).collect()
}

pub(super) fn json(answer: &impl Serialize) -> String {
    format!("{:#}\n", serde_json::json!(answer))
}

/// Remarks of this weight or more make the import fail.
fn import(path: &Path, fatal: Weight) -> Result<(), ConfigVerbError> {
    let foreign = |source| ConfigVerbError::Foreign { path: path.to_owned(), source };
    let imported = config::import(&read(path)?).map_err(foreign)?;
    for remark in &imported.remarks {
        eprintln!("{remark}");
    }
    print(&imported.text)?;
    let refused = imported.remarks.iter().filter(|remark| remark.weight == Weight::Refused).count();
    let lost = imported.remarks.iter().filter(|remark| remark.weight >= fatal).count();
    match (refused, lost) {
        (0, 0) => Ok(()),
        (0, count) => Err(ConfigVerbError::Lost { path: path.to_owned(), count }),
        (count, _) => Err(ConfigVerbError::Problems { path: path.to_owned(), count }),
    }
}

pub(super) fn print(text: &str) -> Result<(), ConfigVerbError> {
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|source| ConfigVerbError::Stream("write to standard output", source))
}

#[cfg(test)]
mod tests {
    use super::{json, told};
    use crate::config::problems;

    #[test]
    fn problems_are_told_a_line_each() {
        let found = problems("spec:\n  api:\n    prot: 1\n    port: 80\n", "barn");
        let text = told(&found);
        assert!(text.starts_with("line 3: spec.api: unknown field `prot`"), "{text}");
        assert!(
            text.ends_with(
                "\nspec.api: port: `80`; sk8s has one port, 6443: put a load balancer in front for another\n"
            )
        );
        let value: serde_json::Value =
            serde_json::from_str(&json(&serde_json::json!({ "problems": found }))).expect("JSON");
        assert_eq!(value["problems"][0]["line"], 3);
        assert_eq!(value["problems"].as_array().map(Vec::len), Some(2));
    }
}
