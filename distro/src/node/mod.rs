//! A node's life: made ready, run, kept up to date, ended.

mod care;
mod prepare;
mod run;
mod tasks;

pub use prepare::{NodeError, Prepared, prepare};
pub use run::{Order, run};
