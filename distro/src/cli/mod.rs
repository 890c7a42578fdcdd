//! The command line.

mod args;
mod backup;
mod completion;
mod config;
mod etcd;
mod ports;
mod reset;
mod roles;
mod service;
mod status;
mod sysinfo;
mod token;
mod verbs;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
