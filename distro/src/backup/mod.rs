//! Backup of a cluster to one file and its way back.
//!
//! A backup is a tar archive, compressed with zstd. Its first entry is `manifest.json` ([`Manifest`]), which names every other
//! entry in the archive's order with its size and SHA-256, so that an archive is verified as it is read, from a pipe too:
//!
//! ```text
//! manifest.json
//! configuration/sk8s.yaml      if there is one
//! datastore/state.db           SQLite, or
//! datastore/etcd.db            a snapshot of etcd, or neither where somebody else keeps the objects
//! manifests/…                  the owner's folder
//! pki/…                        every authority with its key
//! ```
//!
//! Whoever has a backup has the cluster: it is made readable by root alone.

mod collect;
mod draft;
mod error;
mod format;
mod made;
mod read;
mod restore;
mod schedule;
mod snapshots;
mod write;

pub use collect::{Destination, Order, Saved, Servers, save};
pub use error::BackupError;
pub use format::{BadManifest, Datastore, Manifest, Member, MemberPath};
pub use made::{BackupName, Keep, Nameless, Ours, expired};
pub(crate) use restore::member;
pub use restore::{Restored, Source, Target, restore, unfinished};
pub use schedule::{Subject, follow, round};
pub use snapshots::{BadSnapshots, Interval, RawSnapshots, Snapshots};

#[cfg(test)]
mod tests;
