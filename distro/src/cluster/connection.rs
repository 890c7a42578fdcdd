//! A host that was reached: scripts go there, answers come back.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use skerry_formats::seed::HostName;

use super::{
    HostError,
    way::{GREETING, Rights, Way},
};
use crate::sys::{
    fs::{self, FsError},
    process::{self, Input, Session},
};

/// How many lines a log-in may print before it is given up.
const CHATTER: usize = 1000;

/// Where the sockets of connections are; it goes with the last of them.
#[derive(Debug)]
pub struct Sockets(PathBuf);

impl Sockets {
    /// A folder for the owner alone. A socket's path is short: the kernel has 108 bytes for it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> Result<Self, FsError> {
        fs::private_folder(Path::new("/tmp/sk8s-")).map(Self)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_tree(&self.0) {
            tracing::debug!(%error, "sockets left");
        }
    }
}

/// A host that was reached.
#[derive(Debug)]
pub struct Connection {
    way: Way,
    rights: Rights,
    socket: PathBuf,
    _first: Session,
    _sockets: Arc<Sockets>,
}

impl Connection {
    /// Logs in.
    ///
    /// # Errors
    /// If that is refused, or nobody answers.
    pub fn open(host: &HostName, way: Way, sockets: Arc<Sockets>) -> Result<Self, HostError> {
        let socket = sockets.0.join(host.as_str());
        let mut first = Session::start(&way.first(&socket))?;
        for _ in 0..CHATTER {
            let Some(line) = first.line() else { break };
            let uid = line.strip_prefix(GREETING).map(str::trim);
            if let Some(uid) = uid {
                let rights = if uid == "0" { Rights::Root } else { Rights::Sudo };
                return Ok(Self { way, rights, socket, _first: first, _sockets: sockets });
            }
        }
        Err(HostError::LogIn { way: way.to_string(), tail: last_words(&first.errors()) })
    }

    /// Runs a script as root there, and says what it printed.
    ///
    /// # Errors
    /// If it fails; `purpose` says what it was to do.
    pub fn run(&self, purpose: &'static str, script: &str) -> Result<String, HostError> {
        self.feed(purpose, script, Input::Nothing)
    }

    /// Runs a script as root there that reads something.
    ///
    /// # Errors
    /// If it fails; `purpose` says what it was to do.
    pub fn feed(&self, purpose: &'static str, script: &str, input: Input<'_>) -> Result<String, HostError> {
        let said = process::converse(&self.way.script(&self.socket, self.rights, script), input)?;
        if said.code == Some(0) {
            return Ok(said.out);
        }
        let tail = last_words(&said.err);
        if self.rights == Rights::Sudo && tail.starts_with("sudo: ") {
            return Err(HostError::Sudo { way: self.way.to_string(), tail });
        }
        Err(HostError::Command { purpose, code: said.code, tail })
    }
}

/// The last line that says something; of sk8s's own errors, the error and not its hint.
pub(super) fn last_words(text: &str) -> String {
    let says = |line: &&str| !line.is_empty() && !line.starts_with("sudo: unable to resolve host");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(says).collect();
    let Some(own) = lines.iter().rposition(|line| line.starts_with("error: ")) else {
        return lines.last().copied().unwrap_or("it said nothing").to_owned();
    };
    let bare = |line: &&str| line.trim_start_matches("error: ").trim_start_matches("caused by: ").to_owned();
    lines.iter().skip(own).map(bare).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn last_words_are_a_line_or_a_whole_error_of_ours() {
        assert_eq!(last_words("banner\n\nPermission denied (publickey).\n\n"), "Permission denied (publickey).");
        let own = "INFO x\nerror: no\n  caused by: a reason\n  hint: run it with sudo\n";
        assert_eq!(last_words(own), "no; a reason; hint: run it with sudo");
        assert_eq!(last_words("\nsudo: unable to resolve host barn: Name or service not known\n"), "it said nothing");
    }
}
