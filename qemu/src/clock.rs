//! The only place that asks the clock.

use std::time::{Duration, Instant};

/// A point in time by which something must have happened.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    start: Instant,
    limit: Duration,
}

impl Deadline {
    /// The point in time that lies `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self { start: now(), limit }
    }

    /// The point in time that lies `seconds` from now.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self::after(Duration::from_secs(seconds))
    }

    /// Whether it lies behind us.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.spent() >= self.limit
    }

    /// How much time went by since the deadline was set.
    #[must_use]
    pub fn spent(&self) -> Duration {
        now().duration_since(self.start)
    }

    /// How much time there was from the start.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// What is left, at least one millisecond.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent()).max(Duration::from_millis(1))
    }
}

/// A point in time to measure from.
#[must_use]
pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    Instant::now()
}

/// Lets a little time pass between two looks at something that sends no signal.
pub fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
