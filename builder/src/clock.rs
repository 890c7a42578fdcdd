//! The only place that asks the clock. Nothing that ends in an image may call it: time is an argument there.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, for the checks of expiry and freshness.
#[must_use]
pub fn unix_now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A point in time to measure progress from.
#[must_use]
pub fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    Instant::now()
}
