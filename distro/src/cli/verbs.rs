//! What each verb does.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use skerry_formats::token::{BadPart, BadToken};

use super::{
    airgap,
    args::{Args, Places, Verb},
    backup as save, cluster, completion,
    components::{Wanted, lay_out},
    config::{self, ConfigVerbError},
    encryption, etcd, kubeconfig,
    own_node::{self, OwnNode},
    ports, reset, roles, service, status, sysinfo, token,
    version::{self, VersionError},
};
use crate::{
    api::ApiError,
    backup::BackupError,
    cluster::ClusterError,
    config::{ConfigError, Invalid},
    datastore::MigrateError,
    encryption::RotateError,
    images::{
        Ctr, ImportError,
        bundle::{BadList, BundleError},
        external_runtime,
    },
    join::{BadRecord, BadTokens},
    link::TlsError,
    node::{NodeError, UpgradeError},
    payload::PayloadError,
    peers::EtcdError,
    pki::{CertError, PkiError},
    reset::{Backups, ResetError},
    service::ServiceError,
    status::StatusError,
    sys::{
        fs::{self, FsError},
        process::{self, ProcessError},
    },
    sysinfo::Purpose,
};

/// A verb that failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The configuration is unreadable.
    #[error("`{}`", .path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// The configuration asks for what cannot be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// `sk8s config`.
    #[error(transparent)]
    Verb(#[from] ConfigVerbError),
    /// `sk8s cluster`.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The cluster's objects are not in an etcd of its own.
    #[error("this cluster has no etcd of its own")]
    NoEtcd,
    /// No such member.
    #[error("etcd has no member `{0}`; `sk8s etcd member-list` names them")]
    NoMember(String),
    /// A cluster is not ended by leaving it.
    #[error("`{0}` is the only member with a vote: without it there is no cluster; `sk8s reset` ends one")]
    LastMember(String),
    /// The members of etcd.
    #[error(transparent)]
    Etcd(#[from] EtcdError),
    /// Images.
    #[error(transparent)]
    Images(#[from] ImportError),
    /// A list of images.
    #[error(transparent)]
    ImageList(#[from] BadList),
    /// An archive of images.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Nobody reads an archive.
    #[error("an archive is not written to a terminal")]
    Terminal,
    /// Docker's credentials.
    #[error("`{}` is no file of credentials", .path.display())]
    Logins {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The keys of Secrets.
    #[error(transparent)]
    Rotate(#[from] RotateError),
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Keys.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A certificate.
    #[error(transparent)]
    Cert(#[from] CertError),
    /// There is no cluster here.
    #[error("no cluster was made in `{}` yet", .0.display())]
    NoCluster(PathBuf),
    /// Nothing runs pods here.
    #[error("there is no containerd at `{}`", .0.display())]
    NoRuntime(PathBuf),
    /// A certificate for ever.
    #[error("`--certificate-expires-after` must be a span: a certificate cannot be taken back")]
    Endless,
    /// A join token.
    #[error(transparent)]
    Token(#[from] BadToken),
    /// A token's id.
    #[error(transparent)]
    TokenId(#[from] BadPart),
    /// A file with tokens.
    #[error("`{}`", .path.display())]
    Tokens {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BadTokens,
    },
    /// A token could not be made.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A label on the command line.
    #[error("not a label: `{0}`; wanted: `key=value`")]
    Label(String),
    /// The machine has no address to be joined at.
    #[error("this machine lacks {0} to join at")]
    NoAddress(String),
    /// The status.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A reset.
    #[error(transparent)]
    Reset(#[from] ResetError),
    /// The machine.
    #[error("{0} of the checks failed: sk8s will not run here")]
    Unfit(usize),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A move to another datastore.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The components.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The versions.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// Another program.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The supervisor's own machinery.
    #[error("could not {0}")]
    System(&'static str, #[source] io::Error),
}

impl CliError {
    /// 2 for what the caller wrote wrong, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Verb(error) => error.exit_code(),
            Self::Cluster(error) => error.exit_code(),
            Self::Config { .. }
            | Self::Invalid(_)
            | Self::Token(_)
            | Self::Tokens { .. }
            | Self::TokenId(_)
            | Self::ImageList(_)
            | Self::Terminal
            | Self::Label(_)
            | Self::Node(NodeError::Invalid(_) | NodeError::Upgrade(UpgradeError::Refused(_))) => 2,
            _ => 1,
        }
    }

    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.hint(),
            Self::Verb(error) => error.hint(),
            Self::Service(error) => error.hint(),
            Self::Reset(error) => error.hint(),
            Self::Payload(error) => error.hint(),
            Self::Version(error) => error.hint(),
            Self::Rotate(error) => error.hint(),
            Self::Bundle(error) => error.hint().map(ToOwned::to_owned),
            Self::Node(NodeError::Enrol(error)) => error.hint().map(ToOwned::to_owned),
            Self::Node(NodeError::Upgrade(UpgradeError::Refused(refused)))
            | Self::Backup(BackupError::Version(refused)) => Some(refused.hint()),
            Self::Status(StatusError::Socket { .. }) => Some("start it with `sk8s start`".to_owned()),
            _ => self.plain_hint().map(ToOwned::to_owned),
        }
    }

    const fn plain_hint(&self) -> Option<&'static str> {
        match self {
            Self::Token(_) => Some("copy it whole, or make another on a controller: `sk8s token create --role=worker`"),
            Self::Tokens { .. } => Some("`sk8s token pre-shared --out FILE` writes such a file"),
            Self::ImageList(BadList::Empty) => Some("name images, or give a list: `sk8s airgap bundle -o FILE < LIST`"),
            Self::ImageList(BadList::BuiltIn) => Some("every node has them without an archive"),
            Self::Terminal => Some("name a file: `-o images.tar`"),
            Self::NoAddress(_) => Some("name one that other nodes reach: `--server HOST`"),
            Self::Endless => Some("name one: `--certificate-expires-after 30d`"),
            Self::Pki(PkiError::NotMade(_)) => {
                Some("its service makes them: `sk8s start`, and `sk8s status` says what it waits for")
            }
            Self::NoRuntime(_) => Some(
                "run this on a node that runs pods, with its rights and its `--data-dir`; `sk8s status` says how it is",
            ),
            Self::NoCluster(_) => Some("run this on a controller, with its rights and its `--data-dir`"),
            _ => None,
        }
    }
}

/// Does what was asked for.
///
/// # Errors
/// What went wrong, for the edge to print.
pub fn obey(args: Args) -> Result<(), CliError> {
    let places = args.places;
    match args.verb {
        Verb::Controller(args) => roles::controller(&args, places),
        Verb::Worker(args) => roles::worker(&args, places),
        Verb::Token(verb) => print(&token::obey(verb, &OwnNode::find(places, None)?)?),
        Verb::Etcd(verb) => print(&etcd::obey(verb, &OwnNode::find(places, None)?)?),
        Verb::Airgap(verb) => airgap::obey(&verb, places),
        Verb::Encryption(verb) => encryption::obey(&verb, &OwnNode::find(places, None)?),
        Verb::Ports(args) => print(&ports::obey(&args, &OwnNode::find(places, None)?.provider())),
        Verb::Install { words } => print(&service::install(&places, &words)?),
        Verb::Start => print(&service::start()?),
        Verb::Stop => print(&service::stop()?),
        Verb::Reset { explain, with_backups } => {
            let manner = if explain { reset::Manner::Explain } else { reset::Manner::Do };
            reset::reset(places, manner, if with_backups { Backups::Remove } else { Backups::Spare })
        }
        Verb::Sysinfo { controller, worker, output } => {
            let purpose = match (controller, worker) {
                (true, false) => Purpose::Controller,
                (false, true) => Purpose::Worker,
                _ => Purpose::Both,
            };
            sysinfo::sysinfo(&own_node::places(places)?.paths(), purpose, &output)
        }
        Verb::Completion { shell } => print(&completion::script(shell)),
        Verb::Status { of, output } => print(&status::show(&own_node::places(places)?.paths(), of.as_ref(), &output)?),
        Verb::Kubectl { args } => become_part("kubectl", args, places),
        Verb::Helm { args } => become_part("helm", args, places),
        Verb::Ctr { args } => ctr(args, places),
        Verb::Kubeconfig(verb) => print(&kubeconfig::text(places, verb)?),
        Verb::Cluster(verb) => Ok(cluster::obey(&verb)?),
        Verb::Config(verb) => Ok(config::obey(verb, places)?),
        Verb::Backup(args) => save::save(places, &args),
        Verb::Restore(args) => save::restore(places, &args),
        Verb::Storage(verb) => save::storage(places, verb),
        Verb::Version { all, output } => {
            let of = if all { version::Of::All } else { version::Of::Own };
            print(&version::version(places, of, &output)?)
        }
    }
}

/// Becomes a program of upstream's that people talk to, with the owner's rights.
fn become_part(name: &str, args: Vec<String>, places: Places) -> Result<(), CliError> {
    let all: Vec<String> = std::iter::once(name.to_owned()).chain(args).collect();
    let (paths, _ready) = lay_out(own_node::places(places)?, Wanted::Program)?;
    let kubeconfig = paths.admin().join("kubeconfig");
    let env = [("KUBECONFIG", kubeconfig.as_os_str())];
    Err(process::become_program(&paths.components.join("clients"), &all, &env).into())
}

/// Becomes containerd's client, told where the node's containerd is.
fn ctr(args: Vec<String>, places: Places) -> Result<(), CliError> {
    let places = own_node::places(places)?;
    let node = places.clone().paths();
    let socket = external_runtime(&node)?.unwrap_or_else(|| node.containerd_socket());
    if !fs::exists(&socket) {
        return Err(CliError::NoRuntime(socket));
    }
    let (paths, _ready) = lay_out(places, Wanted::Program)?;
    Err(Ctr::new(&paths, &socket).become_client(args).into())
}

pub(super) fn print(text: &str) -> Result<(), CliError> {
    io::stdout().write_all(text.as_bytes()).map_err(|source| CliError::System("write to standard output", source))
}
