//! Short programs that are given secrets: by their environment, which is nobody else's to read.

#![expect(clippy::disallowed_methods, reason = "a part of the one place that starts processes")]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::ProcessError;

/// Runs a short program with these variables and no others to its end, and returns its standard output.
///
/// # Errors
/// If it cannot be started or exits with anything but 0.
pub fn tool(program: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<String, ProcessError> {
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(env.iter().copied()).stdin(Stdio::null());
    let out = command.output().map_err(|source| ProcessError::Start { program: program.to_owned(), source })?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let tail = String::from_utf8_lossy(&out.stderr).lines().last().unwrap_or_default().to_owned();
    Err(ProcessError::Failed { program: program.to_owned(), status: out.status.to_string(), tail })
}
