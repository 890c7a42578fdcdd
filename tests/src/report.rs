//! A line per promise, and the closing line.

use std::process::ExitCode;

use skerry_qemu::Deadline;

use crate::Check;

/// Counts promises while they are checked.
#[derive(Debug)]
pub struct Report {
    only: Option<String>,
    start: Deadline,
    passed: u32,
    failed: u32,
}

impl Report {
    /// A report on promises whose name contains `only`, or on all.
    #[must_use]
    pub fn new(only: Option<String>) -> Self {
        Self { only, start: Deadline::seconds(0), passed: 0, failed: 0 }
    }

    /// Whether any of these promises is wanted.
    #[must_use]
    pub fn wants(&self, names: &[&str]) -> bool {
        self.only.as_ref().is_none_or(|only| names.iter().any(|name| name.contains(only.as_str())))
    }

    /// Whether one of these promises is asked for by name: what takes long is not checked with all the others.
    #[must_use]
    pub fn names(&self, names: &[&str]) -> bool {
        self.only.is_some() && self.wants(names)
    }

    /// Checks a promise, if it is wanted; says whether it holds.
    pub fn promise(&mut self, name: &str, check: impl FnOnce() -> Check) -> bool {
        if !self.wants(&[name]) {
            return true;
        }
        let start = Deadline::seconds(0);
        let outcome = check();
        let seconds = start.spent().as_secs_f32();
        match &outcome {
            Ok(()) => {
                self.passed += 1;
                println!("ok    {seconds:6.1} s  {name}");
            }
            Err(broken) => {
                self.failed += 1;
                println!("FAIL  {seconds:6.1} s  {name}");
                for line in broken.to_string().lines() {
                    println!("        {line}");
                }
            }
        }
        outcome.is_ok()
    }

    /// The closing line; the process fails if a promise did, or if none was checked.
    #[must_use]
    pub fn close(self) -> ExitCode {
        println!("{} passed, {} failed in {} s", self.passed, self.failed, self.start.spent().as_secs());
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Broken;

    #[test]
    fn one_broken_promise_fails_the_run() {
        let mut report = Report::new(None);
        assert!(report.promise("holds", || Ok(())));
        assert!(!report.promise("does not", || Err(Broken::new("no"))));
        assert_eq!(report.close(), ExitCode::FAILURE);
    }

    #[test]
    fn a_run_without_promises_fails() {
        let mut report = Report::new(Some("nothing".into()));
        assert!(report.promise("unwanted", || Err(Broken::new("never run"))));
        assert!(!report.names(&["unwanted"]) && !Report::new(None).names(&["unwanted"]));
        assert_eq!(report.close(), ExitCode::FAILURE);
    }
}
