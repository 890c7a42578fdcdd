//! Harness and promises.
//!
//! `promises` (the binary) boots what a user gets and checks every promise of the README on it: one image of each
//! architecture, one booted node for all that needs Kubernetes, cheap machines before the dear one. Each promise is a line
//! on standard output; the last line is `N passed, N failed`.

pub mod cli;
pub mod elsewhere;
pub mod image;
pub mod kubectl;
pub mod lab;
pub mod node;
pub mod process;
pub mod promises;
pub mod report;

/// Why a promise does not hold, in words for the person who reads the report.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// The outcome of a check.
pub type Check<T = ()> = Result<T, Broken>;

impl Broken {
    /// A broken promise.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// For `map_err`: what was attempted, then the error with its causes.
    pub fn when<E: std::error::Error>(attempt: &str) -> impl Fn(E) -> Self + '_ {
        move |error| {
            let mut text = format!("{attempt}: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                text.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            Self(text)
        }
    }
}
