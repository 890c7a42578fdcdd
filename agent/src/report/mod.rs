//! What a node says of itself: on the console in plain words, as JSON for programs.

pub mod render;
pub mod snapshot;

pub use render::{block, difference};
pub use snapshot::{Machine, Phase, Snapshot};

/// Where the daemon leaves its snapshot for `skerryd status`.
pub const STATUS: &str = "/run/skerry/status.json";
/// Where the daemon leaves what each key of the seed is and where it comes from, for `skerryd seed explain`.
pub const EXPLAINED: &str = "/run/skerry/seed.json";
