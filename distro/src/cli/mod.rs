//! The command line.

mod args;
mod backup;
mod verbs;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
