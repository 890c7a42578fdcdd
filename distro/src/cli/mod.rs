//! The command line.

mod args;
mod components;
mod verbs;
mod version;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
