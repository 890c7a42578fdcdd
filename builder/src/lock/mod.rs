//! The lock: exactly which packages go in, from which state of the archive. It names no mirror.

mod available;
mod diff;
mod drift;
mod error;
mod model;
mod packages;
mod request;
mod resolve;
pub mod scripts;
mod substitute;
#[cfg(test)]
mod tests;
mod text;
mod vendor;

pub use available::{WhenGone, available};
pub use diff::{Diff, diff};
pub use drift::Drift;
pub use error::LockError;
pub use model::{Lock, LockedFile, LockedPackage, LockedSet, LockedSuite};
pub use packages::{fetch, files};
pub use request::{BadRequest, SetName, SetRequest};
pub use resolve::{Context, resolve};
pub use scripts::ScriptsTable;
pub use substitute::{Substitution, Why, substitute};
pub use vendor::{Vendored, vendor};
