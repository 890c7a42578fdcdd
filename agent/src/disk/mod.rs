//! What lies on disks: partition tables, file system signatures, the boot disk.

pub mod boot;
pub mod gpt;
pub mod signature;
