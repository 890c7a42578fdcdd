//! The only place that starts processes and asks the clock.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    ffi::OsStr,
    process::Command,
    time::{Duration, Instant},
};

/// What a program printed and how long it took.
pub struct Ran {
    /// Standard output.
    pub stdout: String,
    /// Wall-clock time.
    pub took: Duration,
}

/// Runs a program to its end; its messages go to our standard error.
pub fn run(program: impl AsRef<OsStr>, args: &[&OsStr]) -> Result<Ran, String> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let start = Instant::now();
    let output = Command::new(program.as_ref()).args(args).stderr(std::process::Stdio::inherit()).output();
    let took = start.elapsed();
    match output {
        Err(error) => Err(format!("could not run `{name}`: {error}")),
        Ok(output) if !output.status.success() => Err(format!("`{name}` failed: {}", output.status)),
        Ok(output) => Ok(Ran { stdout: String::from_utf8_lossy(&output.stdout).into_owned(), took }),
    }
}

/// Runs a program to its end with these variables besides ours; all that it prints goes where ours does.
pub fn show(program: &str, args: &[&str], env: &[(&str, String)]) -> Result<(), String> {
    let status = Command::new(program).args(args).envs(env.iter().map(|(name, value)| (name, value))).status();
    match status {
        Err(error) => Err(format!("could not run `{program}`: {error}")),
        Ok(status) if !status.success() => Err(format!("`{program}` failed: {status}")),
        Ok(_) => Ok(()),
    }
}

/// A word that no earlier run used, so that what it goes into is new.
pub fn mark() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros()).to_string()
}
