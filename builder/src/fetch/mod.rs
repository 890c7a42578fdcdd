//! Getting files from a mirror into the store: a few at a time, checked, resumed where the line broke.

mod client;
mod error;
mod packages;
mod stream;
#[cfg(test)]
mod tests;

pub use client::{Client, Patience};
pub use error::FetchError;
pub use packages::{Want, all};
pub use stream::Stream;
