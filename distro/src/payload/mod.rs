//! The components that our own program carries, if it does: laid out in the data folder when they are first needed.
//!
//! ```text
//! <data>/components/<digest of the index>/    bin/kube, cni/bridge, images/coredns.tar, images.json …
//! <data>/components/<digest>.part-<pid>       work in progress, or what a crash left: the next start removes it
//! ```
//!
//! A folder gets its name only when all it holds is on the disk. Whoever uses one holds a shared lock on it; whoever lays
//! one out or removes one holds a lock on `components` itself. Another version of sk8s has another folder.

mod ahead;
mod error;
mod extract;
mod found;
mod places;
mod shelf;
mod sweep;

pub use error::{Damage, PayloadError};
pub use found::{OWN, Payload};
pub use places::{path_of, spare};
pub use shelf::{Ready, ensure};
pub use sweep::remove_unused;
