//! The only place that asks the clock, and that sleeps.

use std::{thread, time::Duration};

use nix::time::{ClockId, clock_gettime};

/// Time since the kernel started, in which every duration on the device is measured: it never jumps.
#[must_use]
pub fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Milliseconds since the kernel started.
#[must_use]
pub fn boot_ms() -> u64 {
    u64::try_from(since_boot().as_millis()).unwrap_or(u64::MAX)
}

/// Does nothing for a while.
pub fn pause(time: Duration) {
    thread::sleep(time);
}

/// A point in time after which waiting ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Duration);

impl Deadline {
    /// So far from now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(since_boot() + time)
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(self) -> bool {
        since_boot() >= self.0
    }
}
