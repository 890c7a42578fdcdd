//! What goes wrong with hosts.

use std::{fmt, path::PathBuf};

use skerry_formats::{
    arch::Arch,
    cluster::k0sctl,
    seed::{HostName, Problems},
    storage::StorageType,
};

use super::CONFIG;
use crate::{
    payload::PayloadError,
    service::ServiceRole,
    sys::{fs::FsError, process::ProcessError},
};

/// A verb on a cluster that failed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The file of hosts is wrong; each problem is a line.
    #[error("{0}")]
    Hosts(Problems),
    /// It is no file of k0sctl's.
    #[error("`{}` was not converted", .path.display())]
    Import {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: k0sctl::ImportError,
    },
    /// A host was named that is not there.
    #[error("the file has no host `{name}`{}", .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NoSuchHost {
        /// The name.
        name: HostName,
        /// The nearest in the file.
        near: Option<HostName>,
    },
    /// Hosts that the file gives no way to.
    #[error("the file does not say how to reach {}", listed(.0))]
    NoWay(Vec<HostName>),
    /// A program to upload.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A program without the components.
    #[error("`{}` carries no components: a host could not run it", .0.display())]
    Empty(PathBuf),
    /// A program for another architecture than was said.
    #[error("`{}` is for {found}, not for {wanted}", .path.display())]
    OtherArch {
        /// The program.
        path: PathBuf,
        /// What it is for.
        found: Arch,
        /// What it was said to be for.
        wanted: Arch,
    },
    /// Hosts that cannot be what the file says; each is a line.
    #[error("{}", .0.iter().map(|(host, refusal)| format!("{host}: {refusal}")).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<(HostName, Refusal)>),
    /// Hosts that failed, each of which was told of when it did.
    #[error("failed: {}; nothing more was done", listed(.0))]
    Failed(Vec<HostName>),
    /// No controller answered.
    #[error("no controller of the cluster was reached")]
    NoController,
    /// The answer cannot be written.
    #[error("could not write the answer")]
    Write(#[source] std::io::Error),
}

fn listed(hosts: &[HostName]) -> String {
    hosts.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ")
}

impl ClusterError {
    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Hosts(_) => "docs/cluster.md and docs/hosts.md list the keys of the file",
            Self::Import { source, .. } => source.hint()?,
            Self::NoWay(_) => "add `ssh: {address: ADDRESS, user: USER}` to each, or `localhost: true` to this machine",
            Self::Empty(_) => "use the program that `skerry sk8s` makes, or name it: `--binary ARCH=FILE`",
            Self::OtherArch { .. } => "say `--binary ARCH=FILE` with the architecture that the file is for",
            Self::Failed(_) => {
                "mend what is said above and run the same command again: it goes on where this one ended"
            }
            Self::NoController => {
                "make the cluster: `sk8s cluster apply --hosts FILE`; or name its controllers too: `--host NAME`"
            }
            Self::Payload(error) => return error.hint(),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// 2 for what the caller wrote wrong, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Hosts(_)
            | Self::Import { .. }
            | Self::NoSuchHost { .. }
            | Self::NoWay(_)
            | Self::OtherArch { .. } => 2,
            _ => 1,
        }
    }
}

/// Why a host cannot be what the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody named a program for it.
    NoProgram(Arch),
    /// Its own program is gone, and nobody named one to reset it with.
    Lost(Arch),
    /// No sk8s runs there.
    Architecture(String),
    /// Nothing starts services there.
    NoInit,
    /// It serves in the other role.
    OtherRole(ServiceRole),
    /// It is a node of another cluster.
    OtherCluster,
    /// It is a node of another name.
    OtherName(String),
    /// Its objects are kept in something else.
    Storage {
        /// What keeps them.
        kept: StorageType,
        /// What the file says.
        wanted: StorageType,
    },
    /// No controller has a cluster that it could join, and the first is not picked.
    NoController,
    /// No controller that was looked at has the cluster, and these were not.
    Unseen(Vec<HostName>),
    /// It would be newer than these controllers.
    Ahead(Vec<HostName>),
    /// It runs an image, whose seed says what it is.
    Image,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgram(arch) => {
                write!(
                    f,
                    "it is {arch}: name a sk8s for it, `--binary {arch}=FILE`; `skerry sk8s --arch {arch}` makes one"
                )
            }
            Self::Lost(arch) => write!(
                f,
                "its sk8s is gone, and what it has made is not: name one to remove that with, `--binary {arch}=FILE`; \
                 `skerry sk8s --arch {arch}` makes one"
            ),
            Self::Architecture(word) => write!(f, "there is no sk8s for its architecture, `{word}`"),
            Self::NoInit => write!(f, "neither systemd nor OpenRC runs it"),
            Self::OtherRole(role) => {
                write!(f, "it has the service `{role}`: reset it first, `sk8s cluster reset --host`")
            }
            Self::OtherCluster => {
                write!(f, "it belongs to another cluster: reset it first, `sk8s cluster reset --host`")
            }
            Self::OtherName(name) => write!(
                f,
                "it is the node `{name}`: correct its name or its address in the file; to be renamed, it is reset under that \
                 name first"
            ),
            Self::Storage { kept, wanted: StorageType::Etcd } => write!(
                f,
                "its objects are in {kept}, and the file says `etcd`: move them first, `sk8s storage migrate` \
                 (docs/storage.md)"
            ),
            Self::Storage { kept, wanted } => write!(
                f,
                "its objects are in {kept}, and the file says `{wanted}`, to which nothing moves them: correct \
                 `spec.storage.type`"
            ),
            Self::NoController => {
                write!(f, "it would join, and no controller has a cluster yet: name the file's first too, `--host`")
            }
            Self::Unseen(hosts) => write!(
                f,
                "no controller that was looked at has the cluster, and it may be on {}: none is made before they are \
                 looked at too",
                listed(hosts)
            ),
            Self::Ahead(hosts) => write!(
                f,
                "a worker is never newer than its controllers, and these come first: {}; name them too, `--host`",
                listed(hosts)
            ),
            Self::Image => write!(f, "it runs a Skerry image: give it a seed, `skerry cluster`"),
        }
    }
}

/// What went wrong on a host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be logged in to.
    #[error("could not log in: {way}: {tail}")]
    LogIn {
        /// How it was tried.
        way: String,
        /// What the client said last.
        tail: String,
    },
    /// Who logs in does not become root.
    #[error("could not become root: {way}: {tail}")]
    Sudo {
        /// How it was tried.
        way: String,
        /// What sudo said.
        tail: String,
    },
    /// A command failed there.
    #[error("could not {purpose}: {tail}{}", .code.map(|code| format!(" (exit code {code})")).unwrap_or_default())]
    Command {
        /// What it was to do.
        purpose: &'static str,
        /// Its exit code.
        code: Option<i32>,
        /// What it said last.
        tail: String,
    },
    /// The machine is not fit.
    #[error("it cannot run sk8s: {0}")]
    Unfit(String),
    /// Its service ended and is not started again.
    #[error("sk8s ended: {0}")]
    Ended(String),
    /// It is not ready after a long time.
    #[error("it is not ready after {minutes} minutes; it waits for: {waits}")]
    Late {
        /// How long it was waited for.
        minutes: u64,
        /// What it waits for.
        waits: String,
    },
    /// It answered something else than was asked.
    #[error("could not {purpose}: the answer makes no sense: `{answer}`")]
    Answer {
        /// What was to be done.
        purpose: &'static str,
        /// What it answered.
        answer: String,
    },
    /// It does not say who is in the cluster.
    #[error("could not find out who is in the cluster")]
    Company(#[source] Box<HostError>),
    /// Another host that has a part in it was not reached.
    #[error("`{0}` was not reached")]
    Absent(HostName),
    /// The client does not run, or a file cannot be read.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl HostError {
    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::LogIn { tail, .. } if tail.contains("Host key verification failed") => {
                "log in once by hand and compare its key: `ssh ADDRESS`".to_owned()
            }
            Self::LogIn { tail, .. } if tail.contains("Permission denied") => {
                "name the user and the key that it knows: `ssh.user`, `ssh.keyPath`; nobody is asked for passwords"
                    .to_owned()
            }
            Self::LogIn { .. } => "check that it is on, and `ssh.address` and `ssh.port` in the file".to_owned(),
            Self::Sudo { .. } => {
                "let the user become root without a password (sudoers(5), `NOPASSWD`), or log in as root: `ssh.user`"
                    .to_owned()
            }
            Self::Unfit(_) => "`sk8s sysinfo` on the host says more".to_owned(),
            Self::Ended(_) => format!("see `{CONFIG}` and the log of the service on the host"),
            Self::Late { .. } => "`sk8s status` on the host says more; then run the same command again".to_owned(),
            Self::Company(_) => {
                "wait until it answers again, as `sk8s cluster status` shows: a controller that is reset while it has a vote \
                 weakens the others; without `--host`, all of the cluster is reset and nobody is asked"
                    .to_owned()
            }
            Self::Process(_) => "install OpenSSH's client, the program `ssh`".to_owned(),
            Self::Command { .. } | Self::Answer { .. } | Self::Absent(_) => return None,
        })
    }
}
