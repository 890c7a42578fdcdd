//! Configuration in three forms: raw (what was written), merged (all sources), validated ([`Settings`]).

mod node;
mod raw;
mod settings;
mod subnet;

pub use node::{BadNode, Label, NodeName, Taint};
pub use raw::{ConfigError, Raw};
pub use settings::{Domain, Invalid, San, Settings};
pub use subnet::{BadSubnet, Subnet};
