//! The only place that starts processes.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]
#![expect(unsafe_code, reason = "a child that changes its root does so between fork and exec")]

use std::{
    ffi::CString,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use nix::unistd;

/// A program to be run.
#[derive(Debug)]
pub struct Program {
    path: String,
    args: Vec<String>,
    root: Option<PathBuf>,
}

/// A program that could not be started or that failed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started or waited for.
    #[error("could not run `{path}`")]
    Start {
        /// The program.
        path: String,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// It ran and failed.
    #[error("`{command}` failed: {status}{said}")]
    Failed {
        /// The program and its arguments.
        command: String,
        /// Exit status as text.
        status: String,
        /// The last lines it printed, each after a line break.
        said: String,
    },
}

impl Program {
    /// A program by its absolute path.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), args: Vec::new(), root: None }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Runs it with this folder as its root; the program's path is one below it.
    #[must_use]
    pub fn within(mut self, root: &Path) -> Self {
        self.root = Some(root.to_owned());
        self
    }

    /// Runs it to its end and gives what it printed on standard output.
    ///
    /// # Errors
    /// If it cannot be started or fails.
    pub fn run(&self) -> Result<String, ProcessError> {
        let output = self.output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let printed = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
        Err(ProcessError::Failed {
            command: [std::slice::from_ref(&self.path), &self.args].concat().join(" "),
            status: output.status.to_string(),
            said: tail(&String::from_utf8_lossy(printed)),
        })
    }

    /// Runs it to its end, however it ends.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn output(&self) -> Result<Output, ProcessError> {
        let mut command = Command::new(&self.path);
        command.args(&self.args).stdin(Stdio::null()).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin").env("LC_ALL", "C.UTF-8");
        if let Some(root) = self.root.clone() {
            let change = move || {
                unistd::chroot(&root)?;
                unistd::chdir("/")?;
                Ok(())
            };
            // SAFETY: the closure runs between fork and exec and makes two system calls; it allocates nothing that
            // another thread could hold a lock for.
            unsafe { command.pre_exec(change) };
        }
        command.output().map_err(|source| ProcessError::Start { path: self.path.clone(), source })
    }
}

/// The last five lines.
fn tail(printed: &str) -> String {
    let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].iter().map(|line| format!("\n  {}", line.trim_end())).collect()
}

/// Becomes another program.
///
/// # Errors
/// If that program cannot be executed; otherwise it never returns.
pub fn become_program(path: &str) -> Result<std::convert::Infallible, ProcessError> {
    let failed = |source| ProcessError::Start { path: path.to_owned(), source };
    let name = CString::new(path).map_err(|error| failed(error.into()))?;
    unistd::execv(&name, &[&name]).map_err(|errno| failed(errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_told_with_its_last_lines() {
        let error = Program::new("/bin/sh").args(["-c", "echo one >&2; exit 3"]).run().unwrap_err();
        assert_eq!(error.to_string(), "`/bin/sh -c echo one >&2; exit 3` failed: exit status: 3\n  one");
    }

    #[test]
    fn a_missing_program_is_told() {
        assert!(matches!(Program::new("/no/such").run(), Err(ProcessError::Start { .. })));
    }
}
