//! `sk8s backup`, `sk8s restore` and `sk8s storage`.

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Subcommand;

use super::{
    args::Places,
    components::{Wanted, lay_out},
    own_node::{self, OwnNode},
    verbs::{self, CliError},
};
use crate::{
    backup::{self, Destination, Order, Restored, Servers, Source, Target},
    config::Raw,
    datastore,
    sys::{clock, fs},
};

/// `sk8s backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// Folder to write the backup to, or `-` for standard output
    #[arg(long, value_name = "DIR|-", default_value = ".")]
    save_path: PathBuf,
    /// Configuration file [default: this node's]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// `sk8s restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A backup, or `-` for standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Configuration to restore with, instead of the backup's own
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to write the backup's configuration [default: sk8s.restored.yaml in the data folder]
    #[arg(long, value_name = "FILE")]
    config_out: Option<PathBuf>,
}

/// `sk8s storage`.
#[derive(Debug, Subcommand)]
pub enum StorageVerb {
    /// Move the cluster's objects from SQLite to etcd, while sk8s does not run
    Migrate {
        /// Configuration file, which asks for etcd [default: this node's]
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Makes a backup; prints the path of its file.
pub(super) fn save(places: Places, args: &BackupArgs) -> Result<(), CliError> {
    let node = OwnNode::find(places, args.config.clone())?;
    let (configuration, settings) = node.read()?;
    let (paths, _ready) = lay_out(node.places, Wanted::Program)?;
    let order = Order {
        settings: &settings,
        paths: &paths,
        configuration: configuration.as_deref(),
        now: clock::now(),
        servers: Servers::now(&paths),
    };
    let mut out = io::stdout().lock();
    let destination =
        if is_dash(&args.save_path) { Destination::Stream(&mut out) } else { Destination::Folder(&args.save_path) };
    let saved = backup::save(&order, destination)?;
    if configuration.is_none() {
        tracing::warn!("no configuration file is in the backup: this node has none, or name it with `--config`");
    }
    if saved.datastore == backup::Datastore::External {
        tracing::warn!("the objects are kept by a server that is not ours: save it by its own means");
    }
    match saved.path {
        Some(path) => verbs::print(&format!("{}\n", path.display())),
        None => Ok(()),
    }
}

/// Restores a backup, and says what to do next.
pub(super) fn restore(places: Places, args: &RestoreArgs) -> Result<(), CliError> {
    let (paths, _ready) = lay_out(own_node::places(places)?, Wanted::Program)?;
    let configuration = args.config.as_deref().map(super::config::read).transpose()?;
    if let (Some(text), Some(path)) = (&configuration, &args.config) {
        Raw::parse(text).map_err(|source| CliError::Config { path: path.clone(), source })?;
    }
    let mut stdin = io::stdin().lock();
    let mut file;
    let path = (!is_dash(&args.file)).then_some(args.file.as_path());
    let archive: &mut dyn io::Read = if path.is_none() {
        &mut stdin
    } else {
        file = fs::open(&args.file)?;
        &mut file
    };
    let target = Target { paths: &paths, configuration: args.config_out.as_deref() };
    let Restored { manifest, objects, configuration: written } =
        backup::restore(Source { archive, file: path, configuration }, target)?;
    let mut text = format!("cluster {} of node {} restored\n", manifest.cluster, manifest.node);
    match objects {
        Some(objects) => {
            text.push_str(&format!("keys: {}, revisions go on after {}\n", objects.keys, objects.revision))
        }
        None => text.push_str("the objects are kept by a server that is not ours: restore it by its own means\n"),
    }
    if let Some(path) = written {
        text.push_str(&format!("configuration: {}\n", path.display()));
    }
    verbs::print(&text)
}

/// Moves objects between datastores.
pub(super) fn storage(places: Places, verb: StorageVerb) -> Result<(), CliError> {
    let StorageVerb::Migrate { config } = verb;
    let node = OwnNode::find(places, config)?;
    let settings = node.settings()?;
    let (paths, _ready) = lay_out(node.places, Wanted::Program)?;
    let moved = datastore::migrate(&settings, &paths)?;
    let (before, after) = (moved.before, moved.after);
    verbs::print(&format!(
        "keys: {}, all compared; revisions go on after {} (before: {})\nthe old database is kept in {}\n",
        after.keys,
        after.revision,
        before.revision,
        moved.kept.display()
    ))
}

fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}
