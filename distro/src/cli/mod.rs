//! The command line.

mod airgap;
mod args;
mod backup;
mod cluster;
mod completion;
mod components;
mod config;
mod edit;
mod encryption;
mod etcd;
mod installed;
mod kubeconfig;
mod own_node;
mod ports;
mod reset;
mod roles;
mod service;
mod status;
mod sysinfo;
mod token;
mod verbs;
mod version;

pub use args::{Args, Verb};
pub use verbs::{CliError, obey};
