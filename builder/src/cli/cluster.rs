//! `skerry cluster`.

use std::path::{Path, PathBuf};

use sk8s::peers::{LEAVE, ROLL};
use skerry_formats::{cluster::Cluster, name::Name, seed::HostName};

use super::{Failure, Host, print_json};
use crate::{
    clock,
    cluster::{self, Applied, ClusterError, Departures, Farewell, Folder, LastDuty, LastToken, Reached, status},
    fsx,
    report::Reporter,
};

/// Flags of `skerry cluster`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a cluster: its keys, the seeds of its hosts, the administrator's kubeconfig
    New(New),
    /// Make the seeds follow a changed file of hosts, and tell the running cluster of new hosts
    Apply(Apply),
    /// Say how a cluster and its hosts are
    Status(StatusArgs),
    /// Print a new kubeconfig for the administrator, good for a year
    Kubeconfig(KubeconfigArgs),
    /// Turn a k0sctl.yaml into a file of hosts, on standard output
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Name of the cluster
    name: Name,
    /// The cluster's folder [default: `out/clusters/NAME`]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct New {
    #[command(flatten)]
    which: Which,
    /// File of hosts (kind Cluster); without it the cluster is a single node of the cluster's name
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    hosts: Option<PathBuf>,
    /// Where the single node's API will be reached
    #[arg(long, value_name = "URL", default_value = "https://127.0.0.1:6443")]
    server: String,
}

#[derive(Debug, clap::Args)]
struct Apply {
    #[command(flatten)]
    which: Which,
    /// File of hosts (kind Cluster)
    #[arg(long, value_name = "FILE")]
    hosts: PathBuf,
    /// Do not call the cluster: its first controller learns of new hosts from its new seed
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    which: Which,
    /// Call the API here [default: the controllers' addresses, one after the other]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct KubeconfigArgs {
    #[command(flatten)]
    which: Which,
    /// Where the API is reached [default: the first controller's first address]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// k0sctl's file
    file: PathBuf,
}

/// Runs a verb on clusters.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::New(args) => new(&host.reporter, args),
        Verb::Apply(args) => apply(&host.reporter, args),
        Verb::Status(args) => status(args),
        Verb::Kubeconfig(args) => kubeconfig(args),
        Verb::Import(args) => import(&host.reporter, args),
    }
}

impl Which {
    fn folder(&self) -> Folder {
        let path = self.out.clone().unwrap_or_else(|| PathBuf::from("out/clusters").join(self.name.as_str()));
        Folder::new(path, self.name.clone())
    }
}

fn new(reporter: &Reporter, args: &New) -> Result<(), Failure> {
    let folder = args.which.folder();
    let Some(hosts) = &args.hosts else { return single(reporter, &folder, &args.server) };
    let applied = folder.create(&read(hosts, &folder)?)?;
    keep_safe(reporter, &folder);
    tell(reporter, &applied);
    reach(reporter, &folder);
    Ok(())
}

fn read(hosts: &Path, folder: &Folder) -> Result<Cluster, ClusterError> {
    cluster::read(hosts, folder.name())
}

fn single(reporter: &Reporter, folder: &Folder, server: &str) -> Result<(), Failure> {
    cluster::create(folder.path(), folder.name(), server)?;
    keep_safe(reporter, folder);
    reporter.line(format!("  build its node: skerry build --board BOARD --seed {}/seed.yaml", folder.path().display()));
    reach(reporter, folder);
    Ok(())
}

fn keep_safe(reporter: &Reporter, folder: &Folder) {
    reporter.line(format!("cluster `{}`: keep `{}` safe, it owns the cluster", folder.name(), folder.path().display()));
}

fn reach(reporter: &Reporter, folder: &Folder) {
    let config = folder.path().join("admin.kubeconfig");
    reporter.line(format!("  reach it:       kubectl --kubeconfig {} get nodes", config.display()));
    reporter.line(format!("  how it is:      skerry cluster status {}", folder.name()));
}

/// A command for each seed that is new or changed: it may as well go onto a medium, or the boot partition.
fn tell(reporter: &Reporter, applied: &Applied) {
    for seed in applied.seeds.iter().filter(|seed| seed.written) {
        let board = seed.board.as_ref().map_or("BOARD", Name::as_str);
        let host = format!("build `{}`:", seed.host);
        reporter.line(format!("  {host:<15} skerry build --board {board} --seed {}", seed.path.display()));
    }
}

fn apply(reporter: &Reporter, args: &Apply) -> Result<(), Failure> {
    let folder = args.which.folder();
    let applied = folder.apply(&read(&args.hosts, &folder)?)?;
    if applied.seeds.iter().all(|seed| !seed.written) {
        reporter.line(format!("cluster `{}`: every seed is as it was", folder.name()));
    }
    tell(reporter, &applied);
    let found = if args.offline { None } else { Some(Reached::find(&folder, None)) };
    let later = "its first controller learns of new hosts when it starts with its new seed";
    match found {
        Some(Ok(cluster)) => return Ok(introduce(reporter, (&folder, &cluster), &applied)?),
        Some(Err(error @ ClusterError::Unreachable { .. })) => reporter.line(format!("  {error}: {later}")),
        Some(Err(error)) => return Err(error.into()),
        None => reporter.line(format!("  {later}")),
    }
    farewell(reporter, &applied);
    Ok(())
}

/// What is left to do for hosts that are not in the file any more, where the cluster was not told: the next `apply` tells it, or
/// the owner does.
fn farewell(reporter: &Reporter, applied: &Applied) {
    for LastToken { host, id, .. } in &applied.departures.tokens {
        let end = format!("kubectl delete secret bootstrap-token-{id} -n kube-system");
        reporter.line(format!("  to end the token that `{host}` had: {end}"));
    }
    for LastDuty { host, .. } in &applied.departures.controllers {
        let patch = format!("'{{\"data\":{{\"{host}\":\"{LEAVE}\"}}}}'");
        reporter
            .line(format!("  to take `{host}` out of etcd: kubectl patch configmap {ROLL} -n kube-system -p {patch}"));
    }
    if applied.departures != Departures::default() {
        reporter.line("  or apply again when the cluster answers, without `--offline`: it is told then");
    }
    nodes(reporter, applied);
}

fn nodes(reporter: &Reporter, applied: &Applied) {
    for (host, _) in applied.left.iter().filter(|(_, duty)| duty.works()) {
        reporter.line(format!("  if its node is to leave: kubectl delete node {host}"));
    }
}

/// Tells a running cluster of all tokens that it has not seen, and of those who are gone.
fn introduce(
    reporter: &Reporter,
    (folder, cluster): (&Folder, &Reached),
    applied: &Applied,
) -> Result<(), ClusterError> {
    for id in cluster.make_known(applied.tokens.clone())? {
        let host = applied.tokens.iter().find(|token| token.id == id).map_or("", |token| token.description.as_str());
        reporter.line(format!("  the cluster will let `{host}` in"));
    }
    folder.see_off(cluster, |farewell| {
        reporter.line(match farewell {
            Farewell::Token(LastToken { host, id, .. }) => format!("  the token `{id}` that `{host}` had is ended"),
            Farewell::Leaves(host) => {
                format!("  `{host}` will be taken out of etcd within a minute: it must be off, or flashed anew")
            }
        });
    })?;
    nodes(reporter, applied);
    Ok(())
}

fn status(args: &StatusArgs) -> Result<(), Failure> {
    let folder = args.which.folder();
    let cluster = Reached::find(&folder, args.server.as_deref())?;
    let (version, nodes) = (cluster.get("/version")?, cluster.get("/api/v1/nodes")?);
    let hosts = folder.cluster()?;
    let controllers = hosts.iter().flat_map(Cluster::controllers).filter(|host| !host.role.works());
    let controllers: Vec<HostName> =
        controllers.filter(|host| cluster.answers(host)).map(|host| host.name.clone()).collect();
    let answers =
        status::Answers { server: &cluster.server, version: &version, nodes: &nodes, controllers: &controllers };
    let found = status::status(folder.name(), hosts.as_ref(), answers);
    if args.json {
        return print_json(&found);
    }
    print!("{}", found.table());
    Ok(())
}

fn kubeconfig(args: &KubeconfigArgs) -> Result<(), Failure> {
    let folder = args.which.folder();
    let identity = folder.identity()?;
    let server = match &args.server {
        Some(url) => url.clone(),
        None => folder.urls()?.into_iter().next().unwrap_or_default(),
    };
    let now = sk8s::pki::UnixTime(clock::unix_now());
    print!("{}", identity.admin_kubeconfig(&server, folder.name(), now).map_err(ClusterError::from)?);
    Ok(())
}

fn import(reporter: &Reporter, args: &Import) -> Result<(), Failure> {
    let imported = sk8s::cluster::import(&fsx::read_to_string(&args.file)?)?;
    for remark in &imported.remarks {
        reporter.line(format!("{}: {remark}", args.file.display()));
    }
    print!("{}", imported.text);
    Ok(())
}
