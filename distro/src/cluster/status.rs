//! How the hosts are, for people and for programs. Pure.

use std::fmt::Write as _;

use serde::Serialize;
use skerry_formats::{
    cluster::{Cluster, Host},
    status::Phase,
};

use super::{Way, seen::Seen};

/// How a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// All is well.
    Ready,
    /// Components start for the first time.
    Starting,
    /// It was ready, and something is not now.
    Degraded,
    /// It is being stopped.
    Stopping,
    /// Its service does not run, or does not answer.
    Stopped,
    /// It has no service.
    Bare,
    /// It was not reached.
    Unreachable,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: String,
    /// How it is.
    pub state: State,
    /// The version of sk8s that runs there; empty if none does.
    pub version: String,
    /// How it is reached.
    pub address: String,
    /// What it waits for, or why it was not reached.
    pub waiting: String,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Degraded => "degraded",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Bare => "bare",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Each host of the file, with what was seen there, or why nothing was.
pub fn rows<'a>(cluster: &Cluster, look: impl Fn(&Host) -> Result<&'a Seen, String>) -> Vec<Row> {
    let row = |host: &Host| {
        let (state, version, waiting) = match look(host) {
            Ok(seen) => of(seen),
            Err(why) => (State::Unreachable, String::new(), why),
        };
        let address = Way::of(host).map(|way| way.to_string()).unwrap_or_default();
        Row { name: host.name.to_string(), role: host.role.to_string(), state, version, address, waiting }
    };
    cluster.spec.hosts.iter().map(row).collect()
}

fn of(seen: &Seen) -> (State, String, String) {
    let Some(status) = &seen.status else {
        let state = if seen.service.is_some() { State::Stopped } else { State::Bare };
        return (state, String::new(), String::new());
    };
    let state = match status.phase {
        Phase::Ready => State::Ready,
        Phase::Starting => State::Starting,
        Phase::Degraded => State::Degraded,
        Phase::Stopping => State::Stopping,
    };
    (state, status.version.clone(), status.waiting_for.clone())
}

/// A line a host, and below it what it waits for.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let head = ["NAME", "ROLE", "STATE", "VERSION", "ADDRESS"];
    let cells = |row: &Row| {
        let version = if row.version.is_empty() { "-" } else { &row.version };
        [&row.name, &row.role, row.state.as_str(), version, &row.address].map(ToOwned::to_owned)
    };
    let lines: Vec<[String; 5]> = std::iter::once(head.map(ToOwned::to_owned)).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..4).map(width).collect();
    let waiting = std::iter::once("").chain(rows.iter().map(|row| row.waiting.as_str()));
    let mut text = String::new();
    for (line, waiting) in lines.iter().zip(waiting) {
        for (cell, width) in line.iter().zip(&widths) {
            let _infallible = write!(text, "{cell:<width$}  ");
        }
        let _infallible = writeln!(text, "{}", line[4]);
        if !waiting.is_empty() {
            let _infallible = writeln!(text, "  {waiting}");
        }
    }
    text
}
