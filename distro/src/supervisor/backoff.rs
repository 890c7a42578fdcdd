//! How long to wait before starting again what ended.

use std::time::Duration;

/// Ready for so long, a component's past failures are forgotten.
pub const STABLE: Duration = Duration::from_secs(60);

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after a number of failures in a row: doubled each time, from a quarter of a second to half a minute.
#[must_use]
pub fn pause(failures: u32) -> Duration {
    doubled(failures, FIRST, LONGEST)
}

/// The pause after a number of failures in a row, doubled each time.
#[must_use]
pub fn doubled(failures: u32, first: Duration, longest: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause;

    #[test]
    fn it_doubles_up_to_half_a_minute() {
        assert_eq!([1, 2, 3].map(pause), [250, 500, 1000].map(Duration::from_millis));
        assert_eq!(pause(u32::MAX), Duration::from_secs(30));
    }
}
