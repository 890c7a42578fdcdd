//! sk8s, the Kubernetes distribution: it makes keys, writes configuration and supervises upstream's components.

pub mod api;
pub mod cli;
pub mod component;
pub mod config;
pub mod images;
pub mod manifests;
pub mod node;
pub mod paths;
pub mod payload;
pub mod pki;
pub mod status;
pub mod supervisor;
pub mod sys;
pub mod version;
