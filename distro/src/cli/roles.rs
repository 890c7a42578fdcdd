//! `sk8s controller` and `sk8s worker`.

use std::path::{Path, PathBuf};

use skerry_formats::{digest::Digest, token::JoinToken};

use super::{
    args::Places,
    components::{Wanted, lay_out},
    own_node,
    verbs::CliError,
};
use crate::{
    config::{Invalid, Raw, Settings},
    duty::Duty,
    join::{self, TokenRecord},
    node::{self, Joining, Order},
    supervisor::chain,
    sys::{fs, machine},
};

/// What keeps workloads that do not ask for it off a controller.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane:NoSchedule";

/// Flags of every role.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NodeArgs {
    /// Configuration file; `-` reads standard input [default: /etc/sk8s/sk8s.yaml, if it is there]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Name of the node, whatever the configuration says [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// Which of the machine's addresses is the node's, whatever the configuration says: that one, the range that it is in, or the
    /// interface that has it [default: the one that the default route sends from]
    #[arg(long, value_name = "ADDRESS|RANGE|INTERFACE")]
    pub node_address: Option<String>,
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
    /// The flags of every role.
    pub(super) fn into_node(self) -> NodeArgs {
        self.node
    }
}

impl WorkerArgs {
    /// The flags of every role.
    pub(super) fn into_node(self) -> NodeArgs {
        self.node
    }
}

impl NodeArgs {
    /// The configuration file: the one that is named, or else the usual one, which may not be there.
    pub(super) fn file(&self) -> &Path {
        self.config.as_deref().unwrap_or_else(|| Path::new(own_node::USUAL))
    }

    /// The same flags with the file that a node of them reads.
    fn at_start(&self) -> Self {
        Self { config: own_node::configuration(self.config.clone()), ..self.clone() }
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
    /// Whether a token is named.
    const fn is_given(&self) -> bool {
        self.token.is_some() || self.token_file.is_some()
    }

    /// The token, if one is named. A file that is gone or damaged since the node has joined does not keep it from its work.
    fn read(&self, joining: Joining) -> Result<Option<JoinToken>, CliError> {
        let path = match (&self.token, &self.token_file) {
            (Some(text), _) => return Ok(Some(text.parse()?)),
            (None, Some(path)) => path,
            (None, None) => return Ok(None),
        };
        let token = fs::read_to_string(path).map_err(CliError::from).and_then(|text| Ok(text.parse()?));
        match (token, joining) {
            (Ok(token), _) => Ok(Some(token)),
            (Err(error), Joining::Ahead) => Err(error),
            (Err(error), Joining::Done) => {
                tracing::info!(why = %chain(&error), "no token is read, and none is needed: this node has joined");
                Ok(None)
            }
        }
    }
}

/// Runs a controller.
pub fn controller(args: &ControllerArgs, places: Places) -> Result<(), CliError> {
    let duty = match (args.single, args.enable_worker) {
        (true, _) => Duty::Single,
        (false, true) => Duty::ControllerWorker,
        (false, false) => Duty::Controller,
    };
    let mut node = args.node.at_start();
    if duty == Duty::ControllerWorker && !args.no_taints {
        node.taints.push(CONTROL_PLANE.to_owned());
    }
    let mut tokens = Vec::new();
    for path in &args.tokens {
        let bad = |source| CliError::Tokens { path: path.clone(), source };
        tokens.extend(join::read_tokens(&fs::read_to_string(path)?).map_err(bad)?);
    }
    run((duty, tokens), &node, &args.join, places)
}

/// Runs a worker.
pub fn worker(args: &WorkerArgs, places: Places) -> Result<(), CliError> {
    run((Duty::Worker, Vec::new()), &args.node.at_start(), &args.join, places)
}

fn run(
    (duty, tokens): (Duty, Vec<TokenRecord>),
    node: &NodeArgs,
    join: &JoinArgs,
    places: Places,
) -> Result<(), CliError> {
    let (raw, text) = raw(node)?;
    let own = places.clone().paths();
    let is_told = duty == Duty::Worker || join.is_given() || fs::exists(&own.appointment());
    let settings = if is_told { check_alone(&raw)? } else { check(&raw)? };
    let token = join.read(Joining::of(duty, &settings, &own))?;
    let (paths, _ready) = lay_out(places, Wanted::Node)?;
    let text = text.map(|text| Digest::of(text.as_bytes()));
    live(Order { duty, settings, raw, paths, config: node.file().to_owned(), text, token, tokens })
}

/// The configuration with what the flags say instead, checked.
///
/// # Errors
/// If a file is unreadable or a value cannot be.
pub(super) fn settings(args: &NodeArgs) -> Result<Settings, CliError> {
    Ok(check(&raw(args)?.0)?)
}

/// Checked, on this machine.
pub(super) fn check(raw: &Raw) -> Result<Settings, Invalid> {
    Settings::validate(raw, &machine::host_name())
}

/// The same of a node that a cluster tells more: which profiles there are is known when it has joined, and checked then.
pub(super) fn check_alone(raw: &Raw) -> Result<Settings, Invalid> {
    let mut own = raw.clone();
    own.spec.node.profile = None;
    check(&own)
}

/// The configuration with what the flags say instead, and its file's text, if there is a file.
pub(super) fn raw(args: &NodeArgs) -> Result<(Raw, Option<String>), CliError> {
    let path = args.file();
    let text = args.config.as_deref().map(super::config::read).transpose()?;
    let file = Raw::parse(text.as_deref().unwrap_or_default())
        .map_err(|source| CliError::Config { path: path.to_owned(), source })?;
    let mut flags = Raw::default();
    flags.spec.node.name.clone_from(&args.node_name);
    flags.spec.node.address.clone_from(&args.node_address);
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
    Ok((raw, text))
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser as _;
    use skerry_formats::{digest::Digest, role::Role, token::JoinToken};

    use super::{JoinArgs, Joining, NodeArgs, TokenRecord, check, raw};
    use crate::{
        cli::args::{Args, Verb},
        sys::{
            fs::{self, Access},
            machine,
        },
    };

    fn file(path: PathBuf) -> JoinArgs {
        JoinArgs { token: None, token_file: Some(path) }
    }

    #[test]
    fn a_token_file_that_is_gone_stops_only_who_has_not_joined() {
        let folder = tempfile::tempdir().expect("a folder");
        let join = file(folder.path().join("token"));
        let error = join.read(Joining::Ahead).expect_err("needed").to_string();
        assert!(error.starts_with("could not read") && error.contains("token"), "{error}");
        assert_eq!(join.read(Joining::Done).expect("not needed"), None);
    }

    #[test]
    fn a_damaged_token_file_stops_only_who_has_not_joined() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, b"half of a tok", Access::Private, machine::account()).expect("written");
        let error = file(path.clone()).read(Joining::Ahead).expect_err("needed");
        assert_eq!(error.exit_code(), 2);
        assert_eq!(file(path).read(Joining::Done).expect("not needed"), None);
    }

    #[test]
    fn a_token_that_can_be_read_is_read_after_joining_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let TokenRecord { role, id, secret, .. } = TokenRecord::generate(Role::Worker, None).expect("a record");
        let servers = vec!["192.0.2.1".parse().expect("a server")];
        let text = JoinToken { role, id, secret, authority: Digest::of(b"authority"), servers }.to_string();
        fs::write(&path, format!("{text}\n").as_bytes(), Access::Private, machine::account()).expect("written");
        for joining in [Joining::Ahead, Joining::Done] {
            let token = file(path.clone()).read(joining).expect("valid").expect("a token");
            assert_eq!(token.to_string(), text, "it tells whether it is the same cluster");
        }
    }

    #[test]
    fn no_token_is_no_error_of_this_place() {
        assert_eq!(JoinArgs::default().read(Joining::Ahead).expect("none"), None);
    }

    #[test]
    fn the_flag_for_the_nodes_address_goes_before_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sk8s.yaml");
        let text = b"spec: {node: {name: barn, address: eth0}}";
        fs::write(&path, text, Access::Public, machine::account()).expect("written");
        let address = |flag: Option<&str>| {
            let args =
                NodeArgs { config: Some(path.clone()), node_address: flag.map(str::to_owned), ..NodeArgs::default() };
            check(&raw(&args).expect("read").0).map(|settings| settings.node_address.map(|wish| wish.to_string()))
        };
        assert_eq!(address(None).expect("valid").as_deref(), Some("eth0"));
        assert_eq!(address(Some("10.0.0.0/24")).expect("valid").as_deref(), Some("10.0.0.0/24"));
        assert!(address(Some("10.0.0.7/24")).is_err());
    }

    #[test]
    fn every_role_has_the_flag_for_the_nodes_address() {
        let flag = "--node-address=eth1";
        let controller = Args::parse_from(["sk8s", "controller", flag]).verb;
        assert!(matches!(controller, Verb::Controller(args) if args.node.node_address.as_deref() == Some("eth1")));
        let worker = Args::parse_from(["sk8s", "worker", flag]).verb;
        assert!(matches!(worker, Verb::Worker(args) if args.node.node_address.as_deref() == Some("eth1")));
    }
}
