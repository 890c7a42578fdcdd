//! The only place that starts processes.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

/// Process ids of the tools that run now, for [`terminate_all`].
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Set when this process is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// A host program that was to run.
pub struct Tool {
    command: Command,
    name: String,
}

/// A program that could not be started or that failed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no such program.
    #[error("host tool is missing: `{name}`")]
    Missing {
        /// The program.
        name: String,
    },
    /// It could not be started or waited for.
    #[error("could not run `{name}`")]
    Start {
        /// The program.
        name: String,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// It ran and failed; the last lines it printed follow.
    #[error("`{name}` failed: {status}\n{tail}")]
    Failed {
        /// The program.
        name: String,
        /// Exit status as text.
        status: String,
        /// The last 20 lines of its standard error, or output if that is empty.
        tail: String,
    },
}

impl Tool {
    /// A program by name (looked up on `PATH`) or path, with an environment of only `PATH` and `LC_ALL=C.UTF-8`,
    /// so that no host setting leaks into what it makes.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let name = PathBuf::from(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC").stdin(Stdio::null());
        // A group of its own: Ctrl-C on a terminal reaches us alone, and what it started ends with it.
        command.process_group(0);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self { command, name }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Hands on a variable of our own environment, if it is set.
    #[must_use]
    pub fn inherit(mut self, key: &str) -> Self {
        if let Some(value) = std::env::var_os(key) {
            self.command.env(key, value);
        }
        self
    }

    /// Sets the working folder.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Takes standard input from an open file.
    #[must_use]
    pub fn stdin(mut self, file: std::fs::File) -> Self {
        self.command.stdin(file);
        self
    }

    /// Runs to the end and returns standard output.
    ///
    /// # Errors
    /// If the program is missing, cannot be started, or exits with anything but 0.
    pub fn output(mut self) -> Result<Vec<u8>, ToolError> {
        let child = self.spawn()?;
        self.finish(child)
    }

    /// Runs to the end with `write` feeding its standard input from this thread.
    ///
    /// # Errors
    /// As [`Tool::output`]; a failed write is reported only if the program itself did not fail.
    pub fn feed(
        mut self,
        write: impl FnOnce(&mut std::process::ChildStdin) -> io::Result<()>,
    ) -> Result<Vec<u8>, ToolError> {
        self.command.stdin(Stdio::piped());
        let mut child = self.spawn()?;
        let mut stdin = child.stdin.take();
        // A wide pipe means fewer turns between the two; without it all works as well.
        let _wide = stdin.as_ref().map(|pipe| nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20)));
        let written = stdin.as_mut().map_or(Ok(()), write);
        drop(stdin);
        let stdout = self.finish(child)?;
        written.map_err(|source| self.start_error(source)).map(|()| stdout)
    }

    fn spawn(&mut self) -> Result<Child, ToolError> {
        let spawned = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = spawned.map_err(|source| self.start_error(source))?;
        running().insert(child.id());
        Ok(child)
    }

    fn finish(&self, child: Child) -> Result<Vec<u8>, ToolError> {
        let id = child.id();
        let output = child.wait_with_output();
        running().remove(&id);
        while ENDING.load(Ordering::SeqCst) {
            thread::park();
        }
        check(&self.name, output.map_err(|source| self.start_error(source))?)
    }

    fn start_error(&self, source: io::Error) -> ToolError {
        match source.kind() {
            io::ErrorKind::NotFound => ToolError::Missing { name: self.name.clone() },
            _ => ToolError::Start { name: self.name.clone(), source },
        }
    }
}

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that another crate started, ended with the tools as long as this value lives.
#[derive(Debug)]
pub struct Adopted(u32);

impl Adopted {
    /// Takes a process in.
    #[must_use]
    pub fn new(id: u32) -> Self {
        running().insert(id);
        Self(id)
    }
}

impl Drop for Adopted {
    fn drop(&mut self) {
        running().remove(&self.0);
    }
}

/// Ends all running tools and what they started, when this process is about to end; returns when they are gone, as they
/// could still write, or after two seconds. From then on nobody is told how a tool ended.
pub fn terminate_all() {
    ENDING.store(true, Ordering::SeqCst);
    let tools: Vec<Pid> = running().iter().filter_map(|id| i32::try_from(*id).ok()).map(Pid::from_raw).collect();
    for tool in &tools {
        // Not a signal that can be blocked: a program starts with the signals blocked that its parent has. What it wrote
        // lies in temporary folders. An adopted process leads no group.
        let _gone_already = killpg(*tool, Signal::SIGKILL).or_else(|_| kill(*tool, Signal::SIGKILL));
    }
    for _ in 0..100 {
        if tools.iter().all(|tool| kill(*tool, None).is_err()) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn check(name: &str, output: Output) -> Result<Vec<u8>, ToolError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(20)..].join("\n");
    Err(ToolError::Failed { name: name.to_owned(), status: output.status.to_string(), tail })
}
