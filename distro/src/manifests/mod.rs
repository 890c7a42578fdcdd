//! Objects that the node puts into its cluster: the built-in ones, and those in the owner's folder.

mod apply;
mod builtin;
mod content;
mod document;
mod lead;
mod list;
mod live;
mod place;
mod record;
mod round;
mod stack;
mod tidy;
mod told;
mod watch;
mod withdraw;
mod world;
mod yaml;

pub use apply::{Applier, ApplyError};
pub use builtin::{builtin, metrics_server, role_label};
pub use document::{BadManifest, Object, objects};
pub use lead::{Answer, Lead, Tenure};
pub use live::{Disk, Live};
pub use round::{Book, RoundError};
pub use stack::{ObjectRef, StackName};
pub use withdraw::withdraw;

#[cfg(test)]
mod tests;
