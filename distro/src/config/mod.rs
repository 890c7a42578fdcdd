//! Configuration in three forms: raw (what was written), merged (all sources), validated ([`Settings`]).

mod flags;
mod node;
mod raw;
mod settings;
mod storage;
mod subnet;

pub use flags::{BadFlag, Flags, Target};
pub use node::{BadNode, Label, NodeName, Taint};
pub use raw::{ConfigError, Raw, Text};
pub use settings::{Domain, Invalid, San, Settings};
pub use storage::{BadStorage, ClientFiles, DataSource, EtcdMember, ExternalEtcd, Storage};
pub use subnet::{BadSubnet, Subnet};
