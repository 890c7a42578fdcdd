//! sk8s, the Kubernetes distribution: it makes keys, writes configuration and supervises upstream's components.

pub mod api;
pub mod backup;
pub mod charts;
pub mod cli;
pub mod cluster;
pub mod component;
pub mod config;
pub mod datastore;
pub mod duty;
pub mod encryption;
#[cfg(test)]
mod golden;
pub mod images;
pub mod join;
pub mod link;
pub mod manifests;
pub mod network;
pub mod node;
mod parallel;
pub mod paths;
pub mod payload;
pub mod peers;
pub mod pki;
mod quote;
pub mod registry;
pub mod reset;
pub mod service;
pub mod shutdown;
pub mod status;
pub mod supervisor;
pub mod sys;
pub mod sysinfo;
pub mod version;
