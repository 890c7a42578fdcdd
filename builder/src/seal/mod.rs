//! Sealing: a tree becomes a verified root, and a kernel that knows its hash.

pub mod erofs;
pub mod keys;
pub mod uki;
pub mod verity;
