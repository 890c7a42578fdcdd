//! The checks for people, and for programs.

use super::{Check, Verdict};

/// One line a check, and below it what to do.
#[must_use]
pub fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { name, verdict, found, advice } in checks {
        let word = match verdict {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        text.push_str(&format!("{word}  {name:<20}{found}\n"));
        if let Some(advice) = advice {
            text.push_str(&format!("      hint: {advice}\n"));
        }
    }
    let count = |wanted| checks.iter().filter(|check| check.verdict == wanted).count();
    let (pass, warn, fail) = (count(Verdict::Pass), count(Verdict::Warn), count(Verdict::Fail));
    text.push_str(&format!("{pass} passed, {warn} to look at, {fail} failed\n"));
    text
}

/// An array of checks.
///
/// # Errors
/// Never, as far as serde goes.
pub fn json(checks: &[Check]) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(checks).map(|text| format!("{text}\n"))
}
