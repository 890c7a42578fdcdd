//! The pods' network: what the runtime is told of it, what leaves it under the node's own address, and which part of it
//! is this node's.

mod backend;
mod conflist;
pub mod masquerade;
mod ready;
mod subnet_file;

pub use backend::{Backend, BadBackend};
pub use conflist::{Bridge, Leaving, path, single};
pub use ready::{NetworkError, Readiness, follow, pod_subnet, ready};
pub use subnet_file::{BadSubnetFile, Mtu, SubnetFile};

#[cfg(test)]
mod tests;
