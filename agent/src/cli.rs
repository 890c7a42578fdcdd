//! The command line.

use std::path::Path;

use clap::{Args, Parser, Subcommand};
use serde::Deserialize;

use crate::{
    report::{self, Snapshot},
    sys::fs::{self, FsError},
};

/// The agent of a Skerry node: seeds, bring-up, status.
#[derive(Debug, Parser)]
#[command(name = "skerryd", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run as the node's agent; systemd starts it
    Run,
    /// Show what the node was told
    #[command(subcommand)]
    Seed(SeedVerb),
    /// Show who the node is, its phase and what it waits for
    Status(Output),
}

/// What to show of seeds.
#[derive(Debug, Subcommand)]
pub enum SeedVerb {
    /// Show every key, its value and the source that set it
    Explain(Output),
}

/// How to print.
#[derive(Debug, Args)]
pub struct Output {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A question that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The daemon has left no answer.
    #[error("the agent has not said anything yet; is `skerryd.service` running?")]
    Silent(#[source] FsError),
    /// The daemon's answer cannot be read.
    #[error("the agent's answer cannot be read; is it of another version?")]
    Unreadable(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Line {
    key: String,
    value: String,
    source: String,
    line: Option<usize>,
}

/// The answer to `skerryd status`.
///
/// # Errors
/// If the daemon has left none.
pub fn status(output: &Output) -> Result<String, CliError> {
    let text = answer(report::STATUS)?;
    if output.json {
        return Ok(text);
    }
    let snapshot: Snapshot = serde_json::from_str(&text).map_err(CliError::Unreadable)?;
    Ok(report::block(&snapshot).join("\n"))
}

/// The answer to `skerryd seed explain`.
///
/// # Errors
/// If the daemon has left none.
pub fn explain(output: &Output) -> Result<String, CliError> {
    let text = answer(report::EXPLAINED)?;
    if output.json {
        return Ok(text);
    }
    let lines: Vec<Line> = serde_json::from_str(&text).map_err(CliError::Unreadable)?;
    if lines.is_empty() {
        return Ok("no seed says anything".to_owned());
    }
    let width = lines.iter().map(|line| line.key.len()).max().unwrap_or_default();
    let of = |line: &Line| {
        let place = line.line.map(|line| format!(", line {line}")).unwrap_or_default();
        format!("{:width$}  {}  ({}{place})", line.key, line.value, line.source)
    };
    Ok(lines.iter().map(of).collect::<Vec<_>>().join("\n"))
}

fn answer(path: &str) -> Result<String, CliError> {
    fs::read_text(Path::new(path)).map_err(CliError::Silent)
}
