//! What the installed service was told.

use std::path::PathBuf;

use clap::Parser as _;

use super::args::{Args, Verb};
use crate::service::{self, ServiceError};

/// The words of the installed service, read as they were typed; `None` where none is installed or its words make no sense.
///
/// # Errors
/// If its file is there and cannot be read.
pub(super) fn installed() -> Result<Option<Args>, ServiceError> {
    let words = service::installed()?.map(|(_, words)| words);
    Ok(words.and_then(|words| Args::try_parse_from(std::iter::once("sk8s".to_owned()).chain(words)).ok()))
}

/// The configuration file of the installed service, if it names one.
///
/// # Errors
/// As [`installed`].
pub(super) fn config() -> Result<Option<PathBuf>, ServiceError> {
    let verb = installed()?.map(|args| args.verb);
    Ok(match verb {
        Some(Verb::Controller(args)) => args.config().cloned(),
        Some(Verb::Worker(args)) => args.config().cloned(),
        _ => None,
    })
}
