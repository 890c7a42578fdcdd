//! Where seeds come from, and what they add up to.

/// Where early boot puts the seeds that were baked into the boot image.
pub const IMAGE_SEEDS: &str = "/run/skerry/seeds/image";
