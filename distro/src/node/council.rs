//! A controller's part among several: its member of etcd is opened for others when one asks, and tended while there are any.

use std::{net::IpAddr, time::Duration};

use tokio::sync::{mpsc, oneshot, watch};

use super::prepare::{NodeError, Prepared};
use crate::{
    component::ETCD_CLIENT_URL,
    config::{DataSource, NodeName, Storage},
    join::{Council, Opened, Seats},
    peers::{self, Company, Etcd},
    pki::{Identity, LeafRequest},
    sys::clock,
};

/// Somebody waits for this controller's member to be open.
pub type Wish = oneshot::Sender<Opened>;

/// How often the members are looked at while there are several.
const PERIOD: Duration = Duration::from_secs(3);
/// How many looks a client is good for: its certificate is made for it, and ends.
const LOOKS: u32 = 1000;

/// What this controller appoints others with, and the wishes that come of it.
#[must_use]
pub fn council(node: &Prepared, identity: &Identity) -> (Council, mpsc::Receiver<Wish>) {
    let (wish, wishes) = mpsc::channel(1);
    let seats = match &node.settings.storage {
        Storage::Kine { source: DataSource::Sqlite } => Seats::One,
        Storage::Kine { .. } | Storage::External(_) => Seats::Any,
        Storage::Etcd(_) => Seats::Members(wish),
    };
    (Council { identity: identity.clone(), config: node.controllers.clone(), seats }, wishes)
}

/// A client of this node's own member.
///
/// # Errors
/// If the cluster has no etcd of its own, or its keys are damaged.
pub fn client(identity: &Identity) -> Result<Etcd, NodeError> {
    let authority = identity.etcd_ca.as_ref().ok_or(NodeError::NoKeys)?;
    let leaf = authority.issue(&LeafRequest::client("sk8s", None), clock::now())?;
    Ok(Etcd::new(ETCD_CLIENT_URL, &authority.certificate, &leaf)?)
}

/// What a member is tended with.
#[derive(Clone, Debug)]
pub struct Tending {
    /// The cluster's keys.
    pub identity: Identity,
    /// The member's name.
    pub name: NodeName,
    /// Where the node is now.
    pub address: watch::Receiver<IpAddr>,
    /// Whether there are others.
    pub company: watch::Receiver<Company>,
}

/// Tends the members for as long as the process lives.
pub async fn tend(mut tending: Tending) {
    loop {
        if tending.company.wait_for(|company| *company == Company::Several).await.is_err() {
            return std::future::pending().await;
        }
        match client(&tending.identity) {
            Ok(etcd) => {
                for _ in 0..LOOKS {
                    look(&tending, &etcd).await;
                    tokio::time::sleep(PERIOD).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the members of etcd are not looked after");
                tokio::time::sleep(PERIOD).await;
            }
        }
    }
}

async fn look(tending: &Tending, etcd: &Etcd) {
    let (etcd, name) = (etcd.clone(), tending.name.clone());
    let url = peers::url(*tending.address.borrow());
    let tended = tokio::task::spawn_blocking(move || peers::tend(&etcd, &name, &url)).await;
    if let Ok(Err(error)) = tended {
        tracing::debug!(%error, "the members of etcd could not be looked at");
    }
}
