//! A node's life: let in, made ready, linked, run, kept up to date, ended.

mod appoint;
mod care;
mod charts;
mod controllers;
pub mod council;
mod joined;
mod linked;
mod prepare;
mod renew;
mod roster;
mod run;
mod stacks;
mod standing;
mod tasks;
mod upgrade;

pub use joined::{Joining, effective};
pub use prepare::{Keys, NodeError, Prepared, prepare};
pub use run::{Order, run};
pub use standing::{EnrolError, Standing, enrol};
pub use upgrade::UpgradeError;
