//! Sizes and durations for people.

use std::time::Duration;

/// A size in bytes as `812 B`, `4.0 KiB`, `185.3 MiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration as `0.3 s` or `4 min 12 s`.
#[must_use]
pub fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    if whole < 120 { format!("{:.1} s", took.as_secs_f64()) } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_carry_their_unit() {
        assert_eq!([bytes(812), bytes(4096), bytes(194_300_000)], ["812 B", "4.0 KiB", "185.3 MiB"]);
    }

    #[test]
    fn long_durations_are_in_minutes() {
        assert_eq!([seconds(Duration::from_millis(340)), seconds(Duration::from_secs(252))], ["0.3 s", "4 min 12 s"]);
    }
}
