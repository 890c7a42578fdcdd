//! `sk8s kubeconfig`: how people reach the cluster.

use std::path::PathBuf;

use clap::Subcommand;
use skerry_formats::token::Validity;

use super::{args::Places, own_node::OwnNode, verbs::CliError};
use crate::{
    config::{San, Settings},
    pki::{self, Identity, Subject},
    sys::{clock, fs, machine},
};

/// Whose kubeconfig.
#[derive(Debug, Subcommand)]
pub enum KubeconfigVerb {
    /// The owner's: it may do everything
    Admin {
        #[command(flatten)]
        way: Way,
    },
    /// A user's: it may do what the cluster's roles let this user and group do
    Create {
        /// The user's name in the cluster
        user: Subject,
        /// A group that the user is in
        #[arg(long, visible_alias = "groups", value_name = "GROUP")]
        group: Option<Subject>,
        /// How long it is good, as in 30d or 8760h; it cannot be taken back before
        #[arg(long, value_name = "SPAN", default_value = "8760h")]
        certificate_expires_after: Validity,
        #[command(flatten)]
        way: Way,
    },
}

/// How the cluster is reached.
#[derive(Debug, clap::Args)]
pub struct Way {
    /// URL at which the API server is reached [default: this node's address]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Configuration file [default: this node's]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The text of a kubeconfig.
///
/// # Errors
/// If there are no keys of a cluster here, or the span is none.
pub fn text(places: Places, verb: KubeconfigVerb) -> Result<String, CliError> {
    match verb {
        KubeconfigVerb::Admin { way } => {
            let (identity, settings, server) = open(places, way)?;
            Ok(identity.admin_kubeconfig(&server, &settings.cluster, clock::now())?)
        }
        KubeconfigVerb::Create { user, group, certificate_expires_after: Validity(lifetime), way } => {
            let lifetime = lifetime.ok_or(CliError::Endless)?;
            let (identity, settings, server) = open(places, way)?;
            let user = (&user, group.as_ref());
            Ok(identity.user_kubeconfig(user, lifetime, (&server, &settings.cluster), clock::now())?)
        }
    }
}

/// The cluster's keys, what is known of it, and the URL of its API.
fn open(places: Places, way: Way) -> Result<(Identity, Settings, String), CliError> {
    let node = OwnNode::find(places, way.config)?;
    let folder = node.paths().pki();
    if !fs::exists(&folder.join("ca.crt")) {
        return Err(CliError::NoCluster(folder));
    }
    let settings = node.settings()?;
    let identity = pki::load(&folder)?;
    let usual = settings.api.external.clone().or(settings.api.address.map(|v4| San::Ip(v4.into())));
    let seen = || {
        let seen = machine::observe(settings.node_address.as_ref());
        seen.map_or_else(|| "127.0.0.1".to_owned(), |machine| San::Ip(machine.address).to_string())
    };
    let host = || usual.map_or_else(seen, |host| host.to_string());
    let server = way.server.unwrap_or_else(|| format!("https://{}:6443", host()));
    Ok((identity, settings, server))
}
