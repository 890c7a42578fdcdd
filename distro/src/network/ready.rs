//! Follows what the cluster says of this node's part of the network, and tells the runtime.

use std::time::Duration;

use tokio::sync::watch;

use super::{
    conflist::{Bridge, Leaving, addresses, path},
    masquerade,
    subnet_file::{BadSubnetFile, SubnetFile},
};
use crate::{
    api::{ApiError, Client},
    config::{BadSubnet, NodeName, Settings, Subnet, Subnet6},
    paths::Paths,
    supervisor::chain,
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
        process::ProcessError,
    },
};

/// How often is looked until the network is ready: pods wait for it.
const SOON: Duration = Duration::from_millis(500);

/// How often afterwards: a node object made anew has another subnet, and whoever loads packet filter rules of their own
/// may flush ours.
const LATER: Duration = Duration::from_secs(60);

/// A pod network that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A subnet that we cannot handle.
    #[error("node `{0}`: spec.podCIDR")]
    Subnet(NodeName, #[source] BadSubnet),
    /// Flannel's file.
    #[error(transparent)]
    SubnetFile(#[from] BadSubnetFile),
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The packet filter.
    #[error("could not set up masquerading")]
    Masquerade(#[from] ProcessError),
}

/// How far a node's network has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// kube-controller-manager has given the node no subnet yet.
    NoSubnet,
    /// Flannel has not set up this subnet yet.
    NoBackend,
    /// The runtime knows all it needs.
    Ready(SubnetFile),
}

/// The parts of the pod network that the cluster gave a node, one of each family; `None` as long as there is no such node or
/// it has none.
///
/// # Errors
/// If the API server cannot be asked, or a part is none of its family.
pub fn pod_subnets(client: &Client, node: &NodeName) -> Result<Option<Parts>, NetworkError> {
    let object = client.get(&format!("/api/v1/nodes/{node}"))?.unwrap_or_default();
    parts_of(&object).map_err(|source| NetworkError::Subnet(node.clone(), source))
}

/// A node's parts of the pod network.
pub type Parts = (Subnet, Option<Subnet6>);

pub(super) fn parts_of(node: &serde_json::Value) -> Result<Option<Parts>, BadSubnet> {
    let first = node["spec"]["podCIDR"].as_str().filter(|text| !text.is_empty());
    let Some(first) = first.map(str::parse).transpose()? else { return Ok(None) };
    let second = node["spec"]["podCIDRs"][1].as_str().map(str::parse).transpose()?;
    Ok(Some((first, second)))
}

/// Looks once; as soon as everything is known, sees to the masquerading and writes the runtime's configuration where it
/// is not as it should be.
///
/// # Errors
/// If something cannot be asked, read, set up or written.
pub fn ready(client: &Client, settings: &Settings, paths: &Paths) -> Result<Readiness, NetworkError> {
    let Some((subnet, second)) = pod_subnets(client, &settings.node)? else { return Ok(Readiness::NoSubnet) };
    let Some(text) = fs::read_if_there(&paths.flannel_subnet())? else { return Ok(Readiness::NoBackend) };
    let made = SubnetFile::parse(&text)?;
    // Flannel leaves out the second where the machine has no address of that family.
    if made.subnet != subnet || made.second.is_some() && made.second != second {
        return Ok(Readiness::NoBackend);
    }
    masquerade::apply(settings.pods, made.second.and(settings.dual).map(|dual| dual.pods), &paths.spare())?;
    let addresses = addresses(paths);
    let (second, mtu) = (made.second, Some(made.mtu));
    let bridge = Bridge { subnet, second, mtu, leaving: Leaving::ByRule, addresses: &addresses };
    let (path, text) = (path(settings, paths), bridge.conflist());
    if fs::read_if_there(&path)?.as_deref() != Some(&text) {
        fs::write(&path, text.as_bytes(), Access::Public, Account::ROOT)?;
    }
    Ok(Readiness::Ready(made))
}

/// Keeps the runtime's configuration up to date for as long as the process lives, and says what changes.
pub async fn follow(api: watch::Receiver<Client>, settings: Settings, paths: Paths) {
    let mut told = String::new();
    loop {
        let (client, settings, paths) = (api.borrow().clone(), settings.clone(), paths.clone());
        let looked = tokio::task::spawn_blocking(move || ready(&client, &settings, &paths)).await;
        let (text, pause) = match looked {
            Ok(Ok(found @ Readiness::Ready(_))) => (format!("{found}"), LATER),
            Ok(Ok(found)) => (format!("{found}"), SOON),
            Ok(Err(error)) => (format!("not set up: {}", chain(&error)), SOON),
            Err(error) => (format!("not looked at: {error}"), SOON),
        };
        if text != told {
            tracing::info!("pod network: {text}");
            told = text;
        }
        tokio::time::sleep(pause).await;
    }
}

impl std::fmt::Display for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSubnet => f.write_str("waiting for the node's subnet"),
            Self::NoBackend => f.write_str("waiting for flannel"),
            Self::Ready(made) => write!(f, "{} with packets of {} bytes", made.subnet, made.mtu.bytes()),
        }
    }
}
