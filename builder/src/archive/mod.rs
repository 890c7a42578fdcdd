//! Debian's archive: from a mirror, through signatures, to packages.
//!
//! ```text
//! mirror ─ InRelease (keyring) ─ Packages.xz (by digest) ─ universe ─ resolve → packages (by digest) ─ deb
//! ```

pub mod apt;
pub mod deb;
mod deb822;
#[cfg(test)]
pub(crate) mod fixture;
pub mod index;
pub mod keyring;
pub mod mirror;
pub mod name;
pub mod relation;
pub mod release;
pub mod resolve;
mod snapshot;
pub mod suite;
#[cfg(test)]
mod tests;
pub mod universe;
pub mod version;

pub use snapshot::{Archive, ArchiveError, Known, Snapshot, SuiteState, by_digest};
