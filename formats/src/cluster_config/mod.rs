//! The configuration of sk8s (kind `ClusterConfig`, docs/config.md) that comes of a seed or of a file of hosts: what these have
//! words of their own for, and the [`Extra`] keys that they pass on.

mod extra;
mod wish;

pub use extra::Extra;
pub(crate) use extra::{OPEN_DEPTH, Reserved};
pub use wish::{Node, Wish};

/// The configuration's `apiVersion`.
pub const API_VERSION: &str = "sk8s.skerry.dev/v1";
/// The configuration's `kind`.
pub const KIND: &str = "ClusterConfig";
