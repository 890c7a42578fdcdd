//! Points in time, as certificates need them.

use time::OffsetDateTime;

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

/// 2025-01-01: no device that runs this software can rightly have an older clock. Certificates are valid from here, so
/// that a node without a battery clock, or one whose clock is set back later, never finds them "not yet valid".
pub const CLOCK_FLOOR: UnixTime = UnixTime(1_735_689_600);

const DAY: u64 = 24 * 60 * 60;

impl UnixTime {
    /// A number of days later.
    #[must_use]
    pub const fn plus_days(self, days: u64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY)))
    }

    /// This time, or the clock floor where a clock stands before it.
    #[must_use]
    pub fn floored(self) -> Self {
        self.max(CLOCK_FLOOR)
    }

    pub(crate) fn to_date(self) -> OffsetDateTime {
        let latest = time::macros::datetime!(9999-12-31 23:59:59 UTC);
        i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .map_or(latest, |date| date.min(latest))
    }
}
