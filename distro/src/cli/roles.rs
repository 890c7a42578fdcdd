//! `sk8s controller` and `sk8s worker`.

use std::path::{Path, PathBuf};

use skerry_formats::{digest::Digest, token::JoinToken};

use super::{
    args::Places,
    components::{Wanted, lay_out},
    verbs::CliError,
};
use crate::{
    config::{Invalid, Provider, Raw, Settings},
    duty::Duty,
    join,
    node::{self, Order},
    sys::{fs, machine},
};

/// Where the agent of an image writes the configuration.
pub const CONFIG: &str = "/run/skerry/sk8s.yaml";
/// What keeps workloads that do not ask for it off a controller.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane:NoSchedule";

/// Flags of every role.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NodeArgs {
    /// Configuration file; `-` reads standard input
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Name of the node, whatever the configuration says [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// Labels that the node registers with
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',')]
    pub labels: Vec<String>,
    /// Taints that the node registers with
    #[arg(long, value_name = "KEY=VALUE:EFFECT", value_delimiter = ',')]
    pub taints: Vec<String>,
    /// Run containers in a runtime that is installed on the machine, not in sk8s' own containerd
    #[arg(long, value_name = "unix:///SOCKET")]
    pub cri_socket: Option<String>,
}

/// Flags of `sk8s controller`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ControllerArgs {
    /// Be a whole cluster in one node, which no other joins
    #[arg(long, conflicts_with_all = ["enable_worker", "no_taints"])]
    single: bool,
    /// Run workloads too, those that tolerate a control plane
    #[arg(long)]
    enable_worker: bool,
    /// Run all workloads
    #[arg(long, requires = "enable_worker")]
    no_taints: bool,
    /// File with tokens that were made without this cluster; each is made known once
    #[arg(long, value_name = "FILE", conflicts_with = "single")]
    tokens: Vec<PathBuf>,
    #[command(flatten)]
    join: JoinArgs,
    #[command(flatten)]
    node: NodeArgs,
}

impl ControllerArgs {
    /// The configuration file, if it is named.
    pub const fn config(&self) -> Option<&PathBuf> {
        self.node.config.as_ref()
    }
}

impl WorkerArgs {
    /// The configuration file, if it is named.
    pub const fn config(&self) -> Option<&PathBuf> {
        self.node.config.as_ref()
    }
}

/// Flags of `sk8s worker`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WorkerArgs {
    #[command(flatten)]
    join: JoinArgs,
    #[command(flatten)]
    node: NodeArgs,
}

/// What a node joins with.
#[derive(Clone, Debug, Default, clap::Args)]
struct JoinArgs {
    /// Join token; needed once
    #[arg(conflicts_with = "token_file", env = "SK8S_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// File with the join token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl JoinArgs {
    fn read(&self) -> Result<Option<JoinToken>, CliError> {
        let text = match (&self.token, &self.token_file) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(path)) => Some(fs::read_to_string(path)?),
            (None, None) => None,
        };
        Ok(text.map(|text| text.parse()).transpose()?)
    }
}

/// Runs a controller.
pub fn controller(args: &ControllerArgs, places: Places) -> Result<(), CliError> {
    let duty = match (args.single, args.enable_worker) {
        (true, _) => Duty::Single,
        (false, true) => Duty::ControllerWorker,
        (false, false) => Duty::Controller,
    };
    let mut node = args.node.clone();
    if duty == Duty::ControllerWorker && !args.no_taints {
        node.taints.push(CONTROL_PLANE.to_owned());
    }
    let (raw, text) = raw(&node)?;
    let mut tokens = Vec::new();
    for path in &args.tokens {
        let bad = |source| CliError::Tokens { path: path.clone(), source };
        tokens.extend(join::read_tokens(&fs::read_to_string(path)?).map_err(bad)?);
    }
    let (settings, token) = (check(&raw)?, args.join.read()?);
    let (paths, _ready) = lay_out(places, Wanted::Node)?;
    live(Order { duty, settings, raw, paths, config: path(&args.node).to_owned(), text, token, tokens })
}

/// Runs a worker.
pub fn worker(args: &WorkerArgs, places: Places) -> Result<(), CliError> {
    let (raw, text) = raw(&args.node)?;
    let (settings, token) = (check(&raw)?, args.join.read()?);
    let (paths, _ready) = lay_out(places, Wanted::Node)?;
    let config = path(&args.node).to_owned();
    live(Order { duty: Duty::Worker, settings, raw, paths, config, text, token, tokens: Vec::new() })
}

/// The configuration with what the flags say instead, checked.
///
/// # Errors
/// If a file is unreadable or a value cannot be.
pub fn settings(args: &NodeArgs) -> Result<Settings, CliError> {
    Ok(check(&raw(args)?.0)?)
}

/// Who connects pods by this machine's configuration; by the usual one where it has none, or none that can be.
#[must_use]
pub fn provider() -> Provider {
    let usual = || Settings::validate(&Raw::default(), "node").ok();
    settings(&NodeArgs::default()).ok().or_else(usual).map_or(Provider::None, |settings| settings.provider)
}

fn check(raw: &Raw) -> Result<Settings, Invalid> {
    Settings::validate(raw, &machine::host_name())
}

fn path(args: &NodeArgs) -> &Path {
    args.config.as_deref().unwrap_or_else(|| Path::new(CONFIG))
}

/// The text of the configuration that is named; where none is, of the one that an image's agent writes, if it is there.
///
/// # Errors
/// If it cannot be read.
pub fn text(config: Option<&Path>) -> Result<Option<String>, CliError> {
    match config {
        Some(path) => Ok(Some(super::config::read(path)?)),
        None => Ok(fs::read_if_there(Path::new(CONFIG))?),
    }
}

/// The configuration with what the flags say instead, and the digest of its file's text.
fn raw(args: &NodeArgs) -> Result<(Raw, Option<Digest>), CliError> {
    let path = path(args);
    let text = text(args.config.as_deref())?;
    let digest = text.as_ref().map(|text| Digest::of(text.as_bytes()));
    let file =
        Raw::parse(&text.unwrap_or_default()).map_err(|source| CliError::Config { path: path.to_owned(), source })?;
    let mut flags = Raw::default();
    flags.spec.node.name.clone_from(&args.node_name);
    flags.spec.node.cri_socket.clone_from(&args.cri_socket);
    if !args.labels.is_empty() {
        let pair = |text: &String| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        let labels = args.labels.iter().map(|text| pair(text).ok_or_else(|| CliError::Label(text.clone())));
        flags.spec.node.labels = Some(labels.collect::<Result<_, _>>()?);
    }
    let mut raw = flags.over(file).map_err(|source| CliError::Config { path: path.to_owned(), source })?;
    if !args.taints.is_empty() {
        raw.spec.node.taints.get_or_insert_default().extend(args.taints.iter().cloned());
    }
    Ok((raw, digest))
}

/// One thread decides; at most four more wait for answers.
fn live(order: Order) -> Result<(), CliError> {
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
