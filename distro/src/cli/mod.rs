//! The command line.

mod args;
mod completion;
mod reset;
mod service;
mod status;
mod sysinfo;
mod verbs;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
