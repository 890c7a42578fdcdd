//! Objects that the node puts into its cluster: the built-in ones, and those in the owner's folder.

mod apply;
mod builtin;
mod document;
mod watch;

pub use apply::{Applier, ApplyError};
pub use builtin::{builtin, role_label};
pub use document::{BadManifest, Object, objects};
pub use watch::{Snapshot, changed, snapshot};
