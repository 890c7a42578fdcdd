//! Secrets are encrypted where they are stored, with keys that a cluster's controllers share and that can be changed while it
//! works. A change goes in steps, each of which every controller must have taken before the next: a key is first known to all,
//! then used, then everything is written anew, then the old key goes.

mod board;
mod expect;
mod follow;
mod rotate;
mod sealed;

pub use board::{Board, BoardError};
pub use expect::expect;
pub use follow::{FollowError, PERIOD, follow};
pub use rotate::{RotateError, Standing, rotate, standing};
pub use sealed::{SealError, seal, unseal};

#[cfg(test)]
mod tests;
