//! The only place that starts processes.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Standard output of a program that ends by itself.
///
/// # Errors
/// If it cannot be started or exits with anything but 0.
pub fn output(program: &Path, args: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(io::Error::other(format!("exit status {}", output.status)))
    }
}

/// Sends a process the signal of Ctrl-C.
pub fn interrupt(id: u32) {
    let _ = kill(Pid::from_raw(id.cast_signed()), Signal::SIGINT);
}

/// A running program; killed and reaped when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program in a process group of its own, so that the terminal's Ctrl-C reaches only us.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(program: &Path, args: &[OsString], log: File) -> io::Result<Self> {
        let out = log.try_clone()?;
        let child =
            Command::new(program).args(args).stdin(Stdio::null()).stdout(out).stderr(log).process_group(0).spawn()?;
        Ok(Self { child })
    }

    /// How the program ended, or `None` while it runs.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
