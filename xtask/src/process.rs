//! The only place that starts processes and asks the clock.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    ffi::OsStr,
    process::{Child, Command, Stdio},
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

/// Starts a program that runs beside us; what it prints goes to a file.
pub fn start(program: &str, args: &[&str], log: &std::path::Path) -> Result<Child, String> {
    let failed = |error: std::io::Error| format!("could not run `{program}`: {error}");
    let out = std::fs::File::create(log).map_err(failed)?;
    let err = out.try_clone().map_err(failed)?;
    Command::new(program).args(args).stdin(Stdio::null()).stdout(out).stderr(err).spawn().map_err(failed)
}

/// What a program prints, whose failure is no matter; what it says besides is dropped.
pub fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits.
pub fn sleep(length: Duration) {
    std::thread::sleep(length);
}

/// Asks again and again until there is an answer, for ten minutes at most; how long it took.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<(T, Duration), String> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok((found, start.elapsed()));
        }
        if start.elapsed() > Duration::from_secs(600) {
            return Err(format!("not within ten minutes: {what}"));
        }
        sleep(Duration::from_millis(50));
    }
}
