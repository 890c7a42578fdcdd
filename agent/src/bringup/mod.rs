//! From what a node is to be, and what it is, to the steps in between: `plan` is pure, and empty when nothing is left to
//! do; `observe` looks, `run` does.

pub mod config;
pub mod observe;
pub mod plan;
pub mod run;
pub mod step;
pub mod wanted;

pub use observe::{FileState, Observed, Unit};
pub use plan::{Conflict, plan};
pub use step::{File, Service, Step};

#[cfg(test)]
mod tests;
