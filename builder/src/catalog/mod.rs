//! The catalogue: boards, recipes, components and overlays as the data files describe them.

pub mod data;

pub use data::DataError;
