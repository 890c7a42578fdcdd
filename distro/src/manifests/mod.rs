//! Objects that the node puts into its cluster: the built-in ones, and those in the owner's folder.

mod apply;
mod builtin;
mod document;
mod lead;
mod record;
mod settle;
mod stack;
mod watch;
mod withdraw;
mod yaml;

pub use apply::{Applier, ApplyError};
pub use builtin::{builtin, metrics_server, role_label};
pub use document::{BadManifest, Object, objects};
pub use lead::{Answer, Lead, Tenure};
pub use record::{RECORDS, StackRecord};
pub use settle::{SettleError, Settled, dissolve, settle};
pub use stack::{ObjectRef, StackName, stacks};
pub use watch::Snapshot;
pub use withdraw::withdraw;
