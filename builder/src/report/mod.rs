//! What the person at the terminal sees while a command works, and how errors reach them.
//!
//! A terminal gets one bar per running step with bytes and rate; anything else gets plain lines. All of it goes to
//! standard error: standard output belongs to data.

mod error;
mod units;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::clock;

pub use error::{Explain, hint_of_io, print_error};
pub use units::{bytes, seconds};

/// Whether a step's result was computed or found in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Computed just now.
    Made,
    /// Found in the store.
    FromStore,
}

/// A finished step, for `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct Finished {
    /// The step's title.
    pub title: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Whether it was computed.
    pub outcome: Outcome,
}

/// Where progress is drawn.
#[derive(Debug)]
enum Sink {
    Nowhere,
    Lines,
    Bars(MultiProgress),
}

#[derive(Debug)]
struct Inner {
    sink: Sink,
    finished: Mutex<Vec<Finished>>,
}

/// Where progress goes; cheap to clone and to share between threads.
#[derive(Clone, Debug)]
pub struct Reporter(Arc<Inner>);

/// A running step; dropping it without [`Step::done`] marks it as failed.
#[derive(Debug)]
pub struct Step {
    title: String,
    reporter: Reporter,
    bar: Option<ProgressBar>,
    started: Instant,
    ended: bool,
}

impl Default for Reporter {
    fn default() -> Self {
        Self::quiet()
    }
}

impl Reporter {
    /// A reporter that prints nothing, for tests and `--quiet`.
    #[must_use]
    pub fn quiet() -> Self {
        Self::to(Sink::Nowhere)
    }

    /// Bars on a terminal, plain lines elsewhere.
    #[must_use]
    pub fn stderr() -> Self {
        use std::io::IsTerminal as _;
        if std::io::stderr().is_terminal() {
            Self::to(Sink::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr())))
        } else {
            Self::to(Sink::Lines)
        }
    }

    fn to(sink: Sink) -> Self {
        Self(Arc::new(Inner { sink, finished: Mutex::default() }))
    }

    /// Starts a step, named in the imperative: `fetch packages`, `build kubernetes`.
    #[must_use]
    pub fn step(&self, title: impl Into<String>) -> Step {
        let title = title.into();
        let bar = match &self.0.sink {
            Sink::Bars(bars) => Some(running_bar(bars, &title)),
            Sink::Lines => {
                eprintln!("  {title} …");
                None
            }
            Sink::Nowhere => None,
        };
        Step { title, reporter: self.clone(), bar, started: clock::start(), ended: false }
    }

    /// Prints a line of information on standard error.
    pub fn line(&self, text: impl AsRef<str>) {
        match &self.0.sink {
            Sink::Nowhere => {}
            Sink::Lines => eprintln!("{}", text.as_ref()),
            Sink::Bars(bars) => bars.suspend(|| eprintln!("{}", text.as_ref())),
        }
    }

    /// The steps finished so far, in the order they ended.
    #[must_use]
    pub fn finished(&self) -> Vec<Finished> {
        self.records().clone()
    }

    fn records(&self) -> MutexGuard<'_, Vec<Finished>> {
        self.0.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Step {
    /// Announces the total in bytes; the bar shows a rate from then on.
    pub fn total(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(bytes);
            bar.set_style(style("  {spinner} {prefix:32} {bar:24} {bytes:>10}/{total_bytes} {binary_bytes_per_sec}"));
        }
    }

    /// Adds finished bytes.
    pub fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// Ends the step.
    pub fn done(mut self, outcome: Outcome) {
        self.ended = true;
        let took = self.started.elapsed();
        let origin = match outcome {
            Outcome::Made => "",
            Outcome::FromStore => " (from the store)",
        };
        self.erase();
        self.reporter.line(format!("  ✓ {:<32} {:>8}{origin}", self.title, seconds(took)));
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.reporter.records().push(Finished { title: self.title.clone(), ms, outcome });
    }

    fn erase(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.ended {
            self.erase();
            self.reporter.line(format!("  ✗ {}", self.title));
        }
    }
}

fn running_bar(bars: &MultiProgress, title: &str) -> ProgressBar {
    let bar = bars.add(ProgressBar::no_length());
    bar.set_style(style("  {spinner} {prefix:32} {elapsed}"));
    bar.set_prefix(title.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_step_is_not_recorded_as_finished() {
        let reporter = Reporter::quiet();
        drop(reporter.step("fails"));
        reporter.step("works").done(Outcome::FromStore);
        let titles: Vec<String> = reporter.finished().into_iter().map(|step| step.title).collect();
        assert_eq!(titles, ["works"]);
    }
}
