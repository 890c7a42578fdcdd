//! What the person at the terminal sees while a command works, and how errors reach them.

/// Whether a step's result was computed or found in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Computed just now.
    Made,
    /// Found in the store.
    FromStore,
}

/// What an error tells beyond its message: the next command, and the process's exit code.
pub trait Explain: std::error::Error + 'static {
    /// The next thing to do, without the `hint:` prefix.
    fn hint(&self) -> Option<String> {
        None
    }

    /// 1 failed, 2 usage, 3 lock drift, 4 a host tool is missing.
    fn exit_code(&self) -> u8 {
        1
    }
}

/// Where progress goes; cheap to clone and to share between threads.
#[derive(Clone, Debug, Default)]
pub struct Reporter {}

/// A running step; dropping it without [`Step::done`] marks it as failed.
#[derive(Debug)]
pub struct Step {}

impl Reporter {
    /// A reporter that prints nothing, for tests and `--quiet`.
    #[must_use]
    pub fn quiet() -> Self {
        Self {}
    }

    /// Starts a step, named in the imperative: `fetch packages`, `build kubernetes`.
    #[must_use]
    pub fn step(&self, _title: impl Into<String>) -> Step {
        Step {}
    }

    /// Prints a line of information on standard error.
    pub fn line(&self, _text: impl AsRef<str>) {}
}

impl Step {
    /// Announces the total in bytes; the bar shows a rate from then on.
    pub fn total(&self, _bytes: u64) {}

    /// Adds finished bytes.
    pub fn advance(&self, _bytes: u64) {}

    /// Ends the step.
    pub fn done(self, _outcome: Outcome) {}
}
