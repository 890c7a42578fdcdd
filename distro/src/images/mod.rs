//! Images that need no registry: archives in the root file system, imported into containerd when it lacks them.

mod archive;
mod import;

pub use archive::{Archived, BadArchive, index};
pub use import::{ImportError, builtin, import};
