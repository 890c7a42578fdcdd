//! What each verb does.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use skerry_formats::token::{BadPart, BadToken};

use super::{
    args::{Args, Kubeconfig, Verb},
    ports,
    roles::{self, NodeArgs},
    token,
};
use crate::{
    api::ApiError,
    config::{ConfigError, Invalid},
    join::BadRecord,
    link::TlsError,
    node::NodeError,
    paths::Paths,
    pki::{self, CertError, PkiError},
    status::{self, StatusError},
    sys::{
        clock,
        fs::{self, FsError},
        machine,
        process::{self, ProcessError},
    },
    version::VERSION,
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
    /// A join token.
    #[error(transparent)]
    Token(#[from] BadToken),
    /// A token's id.
    #[error(transparent)]
    TokenId(#[from] BadPart),
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
    #[error("this machine has no network address to join at")]
    NoAddress,
    /// The status.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// Another program.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The supervisor's own machinery.
    #[error("could not {0}")]
    System(&'static str, #[source] io::Error),
}

impl CliError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Token(_) => Some("copy it whole, or make another on a controller: `sk8s token create --role=worker`"),
            Self::NoAddress => Some("name one that other nodes reach: `--server HOST`"),
            Self::NoCluster(_) => Some("run this on a controller, with its rights and its `--data-dir`"),
            Self::Node(NodeError::Enrol(error)) => error.hint(),
            _ => None,
        }
    }

    /// 2 for what the caller wrote wrong, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. } | Self::Invalid(_) | Self::Token(_) | Self::TokenId(_) | Self::Label(_) => 2,
            _ => 1,
        }
    }
}

/// Does what was asked for.
///
/// # Errors
/// What went wrong, for the edge to print.
pub fn obey(args: Args) -> Result<(), CliError> {
    let paths = args.places.paths();
    match args.verb {
        Verb::Controller(args) => roles::controller(&args, paths),
        Verb::Worker(args) => roles::worker(&args, paths),
        Verb::Token(verb) => print(&token::obey(verb, &paths, &roles::settings(&NodeArgs::default())?)?),
        Verb::Ports(args) => print(&ports::obey(&args)),
        Verb::Status { output } => print(&show(&paths, &output)?),
        Verb::Kubectl { args } => {
            let all: Vec<String> = std::iter::once("kubectl".to_owned()).chain(args).collect();
            let kubeconfig = paths.admin().join("kubeconfig");
            Err(process::become_program(&paths.components.join("kube"), &all, ("KUBECONFIG", &kubeconfig)).into())
        }
        Verb::Kubeconfig(Kubeconfig::Admin { server, config }) => print(&admin(&paths, server, config)?),
        Verb::Version => print(&format!("{VERSION}\n")),
    }
}

fn show(paths: &Paths, output: &str) -> Result<String, CliError> {
    let status = status::ask(&paths.status_socket())?;
    if output == "json" {
        let text = serde_json::to_string_pretty(&status)
            .map_err(|source| CliError::System("write the status", io::Error::other(source)))?;
        return Ok(format!("{text}\n"));
    }
    Ok(status::text(&status))
}

fn admin(paths: &Paths, server: Option<String>, config: Option<PathBuf>) -> Result<String, CliError> {
    let folder = paths.pki();
    if !fs::exists(&folder.join("ca.crt")) {
        return Err(CliError::NoCluster(folder));
    }
    let settings = roles::settings(&NodeArgs { config, ..NodeArgs::default() })?;
    let now = clock::now();
    let identity = pki::load_or_make(&folder, &settings.cluster, now)?;
    let host = || machine::observe().map_or_else(|| "127.0.0.1".to_owned(), |machine| bracketed(machine.address));
    let server = server.unwrap_or_else(|| format!("https://{}:6443", host()));
    Ok(identity.admin_kubeconfig(&server, &settings.cluster, now)?)
}

fn bracketed(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn print(text: &str) -> Result<(), CliError> {
    io::stdout().write_all(text.as_bytes()).map_err(|source| CliError::System("write to standard output", source))
}
