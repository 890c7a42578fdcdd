//! The only place that starts processes.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    ffi::OsStr,
    fmt::Display,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use nix::{
    sys::{prctl, signal},
    unistd::Pid,
};

mod bounded;
mod session;
mod tool;

pub use bounded::{Errand, bounded};
pub use session::{Input, Said, Session, converse, interact};
pub use tool::tool;

use super::fs;
use crate::{
    component::{ComponentId, ComponentSpec, KillScope},
    paths::SPARE,
};

/// A program that could not be started, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("could not run `{}`", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// It ran for too long.
    #[error("`{}` was ended: it took more than {}s", .program.display(), .limit.as_secs())]
    Late {
        /// The program.
        program: PathBuf,
        /// How long it was given.
        limit: Duration,
    },
    /// It ran and failed.
    #[error("`{}` failed: {status}: {tail}", .program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// Exit status as text.
        status: String,
        /// The last line it printed to standard error.
        tail: String,
    },
}

/// A supervised process with both its output streams.
#[derive(Debug)]
pub struct Child {
    /// To wait for.
    pub process: tokio::process::Child,
    /// Its process id.
    pub pid: u32,
}

/// What programs are found by: ours first, so that containerd finds its shim; then the system's, and where it has none what we have
/// to spare, so that kube-proxy finds an `nft`.
#[must_use]
pub fn search_path(components: &Path) -> String {
    let (own, spare) = (components.display(), components.join(SPARE));
    format!("{own}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{}", spare.display())
}

/// What a component inherits: containerd the way to registries, nobody anything else.
fn inherited(spec: &ComponentSpec) -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    let names: &[&str] = match spec.id {
        ComponentId::Containerd => &["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
        _ => &[],
    };
    names.iter().filter_map(|name| std::env::var_os(name).map(|value| (*name, value)))
}

/// Starts a component as the leader of a process group, with an empty environment but for what it asks for.
///
/// It is killed when the calling thread ends, however that comes about, so that no orphan keeps a port or a database
/// busy. What it starts is not.
///
/// # Errors
/// If the program cannot be executed.
pub fn start(spec: &ComponentSpec) -> Result<Child, ProcessError> {
    let failed = |source| ProcessError::Start { program: spec.program.clone(), source };
    let components = spec.program.parent().unwrap_or_else(|| Path::new("/"));
    let mut command = tokio::process::Command::new(&spec.program);
    command.args(&spec.args).env_clear().env("PATH", search_path(components));
    command.envs(inherited(spec)).envs(spec.env.iter().cloned());
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    if spec.account.uid != nix::unistd::getuid().as_raw() {
        command.gid(spec.account.gid).uid(spec.account.uid);
    }
    let huge_pages = spec.scope == KillScope::Process;
    let hook = move || {
        prctl::set_pdeathsig(signal::Signal::SIGKILL)?;
        // Huge pages make a heap that is collected often larger, not faster. Whatever a runtime starts is its owner's.
        if !huge_pages {
            prctl::set_thp_disable(true)?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the hook only makes two prctl calls, which are async-signal-safe; it allocates nothing.
    #[expect(unsafe_code, reason = "no safe call sets what only the child itself may set")]
    let command = unsafe { command.pre_exec(hook) };
    let process = command.spawn().map_err(failed)?;
    let pid = process.id().unwrap_or_default();
    Ok(Child { process, pid })
}

/// Signals a component. Its end may have come before: then there is nothing to signal.
pub fn signal(pid: u32, scope: KillScope, signal: signal::Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    let target = match scope {
        KillScope::Group => Pid::from_raw(-pid),
        KillScope::Process => Pid::from_raw(pid),
    };
    if let Err(error) = nix::sys::signal::kill(target, signal) {
        tracing::debug!(pid, %error, "nothing to signal");
    }
}

/// Runs a short program to its end and returns its standard output.
///
/// # Errors
/// If it cannot be started or exits with anything but 0.
pub fn output(program: &Path, args: &[&str]) -> Result<String, ProcessError> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    let out = command.output().map_err(|source| ProcessError::Start { program: program.to_owned(), source })?;
    judge(program, &out)?;
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a short program to its end and returns its standard output, however it ended; nothing if it could not be started.
#[must_use]
pub fn answer(program: &Path, args: &[&str]) -> String {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output();
    out.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Whether a process is there and has not ended. A dead one that nobody has waited for holds nothing any more.
#[must_use]
pub fn is_alive(pid: impl Display) -> bool {
    let stat = fs::read_lossy(Path::new(&format!("/proc/{pid}/stat"))).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Runs a short program to its end with a text as its standard input.
///
/// # Errors
/// If it cannot be started, does not read the text, or exits with anything but 0.
pub fn feed(program: &Path, args: &[&str], text: &str) -> Result<(), ProcessError> {
    let failed = |source| ProcessError::Start { program: program.to_owned(), source };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(text.as_bytes()));
    let out = child.wait_with_output().map_err(failed)?;
    judge(program, &out)?;
    written.map_err(failed)
}

fn judge(program: &Path, out: &Output) -> Result<(), ProcessError> {
    if out.status.success() {
        return Ok(());
    }
    let tail = String::from_utf8_lossy(&out.stderr).lines().last().unwrap_or_default().to_owned();
    Err(ProcessError::Failed { program: program.to_owned(), status: out.status.to_string(), tail })
}

/// Where the system has a program.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let own = std::env::var("PATH").unwrap_or_default();
    let places =
        own.split(':').filter(|place| place.starts_with('/')).chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"]);
    places.map(|place| Path::new(place).join(name)).find(|path| path.is_file())
}

/// Where the system has a program, or else the folder of those that we have to spare.
#[must_use]
pub fn find_or_spare(name: &str, spare: &Path) -> Option<PathBuf> {
    find(name).or_else(|| Some(spare.join(name)).filter(|path| path.is_file()))
}

/// Becomes another program.
///
/// # Errors
/// Always, if it returns: the program could not be executed.
pub fn become_program(program: &Path, args: &[String], env: &[(&str, &OsStr)]) -> ProcessError {
    let source = Command::new(program).args(args).envs(env.iter().copied()).exec();
    ProcessError::Start { program: program.to_owned(), source }
}
