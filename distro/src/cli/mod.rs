//! The command line.

mod args;
mod ports;
mod roles;
mod token;
mod verbs;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
