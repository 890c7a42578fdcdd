//! `skerry cluster`.

use std::path::PathBuf;

use skerry_formats::name::Name;

use super::{Failure, Host};
use crate::cluster;

/// Flags of `skerry cluster`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a cluster's identity: its keys, the seed of its node, the administrator's kubeconfig
    New(New),
}

#[derive(Debug, clap::Args)]
struct New {
    /// Name of the cluster, and of its single node
    name: Name,
    /// Where the node's API will be reached
    #[arg(long, value_name = "URL", default_value = "https://127.0.0.1:6443")]
    server: String,
    /// Folder for the identity [default: `out/clusters/NAME`]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs a verb on clusters.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let Verb::New(new) = &args.verb;
    let folder = new.out.clone().unwrap_or_else(|| PathBuf::from("out/clusters").join(new.name.as_str()));
    cluster::create(&folder, &new.name, &new.server)?;
    let folder = folder.display();
    host.reporter.line(format!("cluster `{}`: keep `{folder}` safe, it owns the cluster", new.name));
    host.reporter.line(format!("  build its node: skerry build --board BOARD --seed {folder}/seed.yaml"));
    host.reporter.line(format!("  reach it:       kubectl --kubeconfig {folder}/admin.kubeconfig get nodes"));
    Ok(())
}
