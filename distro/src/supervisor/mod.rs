//! The supervisor: a state machine that decides, and a driver that does.

mod backoff;
mod driver;
mod log;
mod machine;
mod probe;
mod unit;

pub(crate) use backoff::doubled;
pub(crate) use driver::chain;
pub use driver::{Board, Command, Driver, Handle, board};
pub use machine::{Effect, Event, IllegalEvent, Machine, Pods};
pub use unit::Signal;

#[cfg(test)]
mod tests;
