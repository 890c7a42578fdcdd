//! A line per promise, and the closing line.

use std::process::ExitCode;

use skerry_qemu::Deadline;

use crate::Check;

/// Which promises are to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All but those that take long.
    Usual,
    /// All.
    All,
    /// Those whose name contains this.
    Named(String),
}

/// Counts promises while they are checked.
#[derive(Debug)]
pub struct Report {
    wanted: Wanted,
    start: Deadline,
    passed: u32,
    failed: u32,
}

impl Report {
    /// A report on those that are wanted.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, start: Deadline::seconds(0), passed: 0, failed: 0 }
    }

    /// Whether any of these promises is wanted.
    #[must_use]
    pub fn wants(&self, names: &[&str]) -> bool {
        match &self.wanted {
            Wanted::Usual | Wanted::All => true,
            Wanted::Named(part) => names.iter().any(|name| name.contains(part.as_str())),
        }
    }

    /// Checks a promise that takes long, if it is asked for: by its name, or with all others.
    pub fn long_promise(&mut self, name: &str, check: impl FnOnce() -> Check) {
        if self.wanted != Wanted::Usual {
            self.promise(name, check);
        }
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
        let mut report = Report::new(Wanted::Usual);
        assert!(report.promise("holds", || Ok(())));
        assert!(!report.promise("does not", || Err(Broken::new("no"))));
        assert_eq!(report.close(), ExitCode::FAILURE);
    }

    #[test]
    fn a_run_without_promises_fails() {
        let mut report = Report::new(Wanted::Named("nothing".into()));
        assert!(report.promise("unwanted", || Err(Broken::new("never run"))));
        report.long_promise("unwanted", || Err(Broken::new("never run")));
        assert_eq!(report.close(), ExitCode::FAILURE);
    }

    #[test]
    fn what_takes_long_is_checked_by_name_or_with_all() {
        let checked = |wanted| {
            let mut report = Report::new(wanted);
            report.long_promise("a long one", || Ok(()));
            report.passed
        };
        let named = |part: &str| Wanted::Named(part.to_owned());
        assert_eq!([Wanted::Usual, Wanted::All, named("long"), named("other")].map(checked), [0, 1, 1, 0]);
    }
}
