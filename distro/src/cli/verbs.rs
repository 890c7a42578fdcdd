//! What each verb does.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use skerry_formats::role::Role;

use super::{
    args::{Args, Kubeconfig, Verb},
    components::{Wanted, lay_out},
    version::{self, VersionError},
};
use crate::{
    config::{ConfigError, Invalid, Raw, Settings},
    node::{self, NodeError, Order},
    paths::Paths,
    payload::PayloadError,
    pki::{self, CertError, PkiError},
    status::{self, StatusError},
    sys::{
        clock,
        fs::{self, FsError},
        machine,
        process::{self, ProcessError},
    },
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
    /// The status.
    #[error(transparent)]
    Status(#[from] StatusError),
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
            Self::Config { .. } | Self::Invalid(_) => 2,
            _ => 1,
        }
    }

    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Payload(error) => error.hint(),
            Self::Version(error) => error.hint(),
            _ => None,
        }
    }
}

/// Where the agent writes the configuration.
const CONFIG: &str = "/run/skerry/sk8s.yaml";

/// Does what was asked for.
///
/// # Errors
/// What went wrong, for the edge to print.
pub fn obey(args: Args) -> Result<(), CliError> {
    let places = args.places;
    match args.verb {
        Verb::Controller { single, config, node_name } => {
            let role = if single { Role::Single } else { Role::Controller };
            let settings = settings(config.as_deref(), node_name)?;
            let (paths, _ready) = lay_out(places, Wanted::Node)?;
            controller(Order { settings, role, paths })
        }
        Verb::Status { output } => print(&show(&places.paths(), &output)?),
        Verb::Kubectl { args } => {
            let all: Vec<String> = std::iter::once("kubectl".to_owned()).chain(args).collect();
            let (paths, _ready) = lay_out(places, Wanted::Program)?;
            let kubeconfig = paths.admin().join("kubeconfig");
            Err(process::become_program(&paths.components.join("kube"), &all, ("KUBECONFIG", &kubeconfig)).into())
        }
        Verb::Kubeconfig(Kubeconfig::Admin { server, config }) => {
            print(&admin(&places.paths(), server, config.as_deref())?)
        }
        Verb::Version { all, output } => {
            let of = if all { version::Of::All } else { version::Of::Own };
            print(&version::version(places, of, &output)?)
        }
    }
}

fn settings(config: Option<&Path>, node_name: Option<String>) -> Result<Settings, CliError> {
    let path = config.unwrap_or_else(|| Path::new(CONFIG));
    let text = match config {
        Some(path) => fs::read_to_string(path)?,
        None => fs::read_if_there(path)?.unwrap_or_default(),
    };
    let file = Raw::parse(&text).map_err(|source| CliError::Config { path: path.to_owned(), source })?;
    let mut flags = Raw::default();
    flags.spec.node.name = node_name;
    Ok(Settings::validate(&flags.over(file), &machine::host_name())?)
}

/// One thread decides; at most four more wait for answers.
fn controller(order: Order) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_stack_size(512 * 1024)
        .build()
        .map_err(|source| CliError::System("start the supervisor", source))?;
    let result = runtime.block_on(node::run(order));
    runtime.shutdown_background();
    Ok(result?)
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

fn admin(paths: &Paths, server: Option<String>, config: Option<&Path>) -> Result<String, CliError> {
    let folder = paths.pki();
    if !fs::exists(&folder.join("ca.crt")) {
        return Err(CliError::NoCluster(folder));
    }
    let settings = settings(config, None)?;
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
