//! The only place that asks the clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::pki::UnixTime;

/// Seconds since 1970.
#[must_use]
pub fn now() -> UnixTime {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Waits.
pub fn sleep(length: Duration) {
    std::thread::sleep(length);
}

/// A clock that only goes forward, from zero at its making.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
