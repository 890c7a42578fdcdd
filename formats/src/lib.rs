//! Every byte that crosses between the host and the device, as types.
//!
//! No I/O, no clock and no async live here: values come in, values go out.

pub mod arch;
pub mod cluster;
pub mod cluster_config;
pub mod cmdline;
pub mod digest;
pub mod duty;
pub mod envelope;
pub mod hint;
pub mod layout;
pub mod manifest;
pub mod moment;
pub mod name;
pub mod node_address;
pub mod payload;
pub mod role;
pub mod seed;
pub mod slot;
pub mod status;
pub mod storage;
pub mod text;
pub mod token;
pub mod verity;
pub mod version;
