//! From a plan and a lock to an image: the stages in their order.

pub mod sets;
