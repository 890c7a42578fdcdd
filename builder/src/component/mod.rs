//! Components: upstream's programs and our own, built from source into the store.
//!
//! A component is a folder `recipes/components/<name>/` with a `component.toml`; a Go component is a Go module too. What a
//! build makes is kept under a key of all that went into it, so that a second build rebuilds nothing.

mod built;
mod cgo;
mod debian;
mod dynamic;
mod error;
mod go;
mod image;
mod key;
mod packages;
mod rust;
mod spec;
mod workshop;

pub use built::{Built, BuiltFile, ImageName, images_json, versions_json};
pub use error::ComponentError;
pub use packages::{NoPackages, PackageSets, unpack};
pub use spec::{Cgo, Component, ImageSpec, Kind, Place, Program, load_all};
pub use workshop::{Toolchain, Workshop};

#[cfg(test)]
mod tests;
