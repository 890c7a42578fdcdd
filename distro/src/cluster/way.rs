//! How a host is reached: words for OpenSSH's client, so that its configuration, agents, jump hosts and known hosts apply.
//! Pure.

use std::path::Path;

use skerry_formats::cluster::{Host, Ssh};

use crate::quote;

/// What the first connection says once it stands, before the user's number.
pub const GREETING: &str = "sk8s-uid";

/// How a host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over SSH.
    Ssh(Ssh),
    /// It is this machine.
    Here,
}

/// How root's rights are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Whoever logs in is root.
    Root,
    /// By sudo, without a password.
    Sudo,
}

impl Way {
    /// How a host is reached, if its file says.
    #[must_use]
    pub fn of(host: &Host) -> Option<Self> {
        match &host.ssh {
            Some(ssh) => Some(Self::Ssh(ssh.clone())),
            None => host.localhost.then_some(Self::Here),
        }
    }

    /// The first connection: it greets, says who it is, and stays for as long as its input does. The others go through it.
    #[must_use]
    pub fn first(&self, socket: &Path) -> Vec<String> {
        let script = format!("echo {GREETING} $(id -u); exec cat >/dev/null");
        self.argv(("yes", socket), &["sh", "-c", &script])
    }

    /// A script that root's shell runs there.
    #[must_use]
    pub fn script(&self, socket: &Path, rights: Rights, script: &str) -> Vec<String> {
        let words: &[&str] = match rights {
            Rights::Root => &["sh", "-c", script],
            Rights::Sudo => &["sudo", "-n", "--", "sh", "-c", script],
        };
        self.argv(("no", socket), words)
    }

    fn argv(&self, (master, socket): (&str, &Path), words: &[&str]) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let Self::Ssh(ssh) = self else { return owned(words) };
        let mut argv = owned(&["ssh", "-T"]);
        let path = socket.display().to_string().replace('%', "%%");
        let options = [
            "BatchMode=yes",
            "ConnectTimeout=15",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
            "ClearAllForwardings=yes",
            "RemoteCommand=none",
            "ControlPersist=no",
            &format!("ControlMaster={master}"),
            &format!("ControlPath={path}"),
        ];
        argv.extend(options.iter().flat_map(|option| owned(&["-o", option])));
        if let Some(port) = ssh.port {
            argv.extend(owned(&["-p", &port.to_string()]));
        }
        if let Some(user) = &ssh.user {
            argv.extend(owned(&["-l", user.as_str()]));
        }
        if let Some(key) = &ssh.key_path {
            argv.extend(owned(&["-o", "IdentitiesOnly=yes", "-i", key.as_str()]));
        }
        // The client joins the words behind the address with blanks, and gives them to the user's shell.
        argv.extend(owned(&["--", ssh.address.as_str(), &quote::shell(&owned(words))]));
        argv
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ssh(ssh) => write!(f, "{ssh}"),
            Self::Here => write!(f, "this machine"),
        }
    }
}
