//! The command line.

mod args;
mod config;
mod verbs;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
