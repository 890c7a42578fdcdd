//! The pods' network: what the runtime is told of it, what leaves it under the node's own address, and which part of it
//! is this node's.

mod conflist;
mod external;
mod masquerade;
mod ready;
mod subnet_file;

pub use conflist::{nobody, path, single};
pub use external::{CONFIGURATION, PROGRAMS, left, settle};
pub use ready::follow;

#[cfg(test)]
mod tests;
