//! Images that need no registry: archives in the root file system and in the owner's folder, imported into containerd when it
//! lacks them.

mod archive;
pub mod bundle;
mod ctr;
mod folder;
mod import;

pub use archive::{Archived, BadArchive, index};
pub use ctr::{Ctr, external_runtime};
pub use folder::{Folder, PERIOD};
pub use import::{ImportError, builtin, import};
