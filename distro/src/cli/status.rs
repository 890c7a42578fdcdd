//! `sk8s status`.

use std::{io, path::PathBuf};

use serde::Serialize;

use super::{CliError, args::StatusOf};
use crate::{
    paths::Paths,
    status::{self, components},
    sys::fs,
};

/// The status as it was asked for.
pub(super) fn show(paths: &Paths, of: Option<&StatusOf>, output: &str) -> Result<String, CliError> {
    let status = status::ask(&paths.status_socket())?;
    match (of, output) {
        (None, "json") => json(&status),
        (None, _) => Ok(status::text(&status)),
        (Some(StatusOf::Components), form) => {
            let rows = components::rows(&status, pss_kib);
            if form == "json" { json(&rows) } else { Ok(components::table(&rows)) }
        }
    }
}

fn pss_kib(pid: u32) -> Option<u64> {
    let path = PathBuf::from(format!("/proc/{pid}/smaps_rollup"));
    components::pss_kib(&fs::read_lossy(&path).ok()?)
}

fn json<T: Serialize>(value: &T) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|source| CliError::System("write the status", io::Error::other(source)))?;
    Ok(format!("{text}\n"))
}
