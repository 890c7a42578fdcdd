//! The host side: a request, a catalogue of data files and a lock become a signed disk image.
//!
//! Each stage consumes the last: `catalog` → `request` → `plan` → `lock` → `fetch` → `compose` → `seal` → `image`.

pub mod archive;
pub mod build;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod component;
pub mod compose;
pub mod fetch;
pub mod fsx;
pub mod image;
pub mod inspect;
pub mod interrupt;
pub mod lock;
pub mod oci;
pub mod onefile;
pub mod plan;
pub mod report;
pub mod seal;
pub mod store;
pub mod tool;
pub mod toolbox;
pub mod tree;
pub mod vm;
