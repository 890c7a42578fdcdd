//! One line per measurement: value, bound, verdict. Printed as they come, as a run takes long.

/// All measurements so far.
#[derive(Debug, Default)]
pub struct Table {
    missed: u32,
}

/// A unit and how it is written.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// 2^20 bytes.
    Mebibytes,
    /// 10^6 bytes.
    Megabytes,
    /// A ratio without unit.
    Ratio,
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Seconds => format!("{value:.2} s"),
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Megabytes => format!("{value:.1} MB"),
            Self::Ratio => format!("{value:.3}"),
        }
    }
}

impl Table {
    /// A heading.
    pub fn section(&self, title: &str) {
        println!("\n{title}");
    }

    /// A measurement without a goal.
    pub fn note(&self, title: &str, value: f64, unit: Unit) {
        println!("  {title:<52} {:>12}", unit.write(value));
    }

    /// A measurement that must not be above its bound.
    pub fn goal(&mut self, title: &str, (value, bound): (f64, f64), unit: Unit) {
        let met = value <= bound;
        self.missed += u32::from(!met);
        println!("  {title:<52} {:>12}  {}", unit.write(value), verdict(value, bound, unit));
    }

    /// Whether no goal was missed.
    #[must_use]
    pub fn all_met(&self) -> bool {
        self.missed == 0
    }
}

fn verdict(value: f64, bound: f64, unit: Unit) -> String {
    let word = if value <= bound { "PASS" } else { "MISS" };
    let share = if bound > 0.0 { format!(" ({:.2} of the bound)", value / bound) } else { String::new() };
    format!("≤ {:<10} {word}{share}", unit.write(bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_goal_is_counted() {
        let mut table = Table::default();
        table.goal("met", (1.0, 1.0), Unit::Seconds);
        assert!(table.all_met());
        table.goal("missed", (1.1, 1.0), Unit::Seconds);
        assert!(!table.all_met());
        assert_eq!(verdict(6.0, 5.0, Unit::Seconds), "≤ 5.00 s     MISS (1.20 of the bound)");
        assert_eq!(verdict(0.0, 0.0, Unit::Seconds), "≤ 0.00 s     PASS");
    }
}
