//! A controller's part among several: its member of etcd is opened for others when one asks, and tended while there are any;
//! and one of them keeps the list of members in the API.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    prepare::{NodeError, Prepared},
    tasks::{Failure, Told, blocking},
};
use crate::{
    api::{CONFIG_MAPS, Client, Creation},
    component::ETCD_CLIENT_URL,
    config::{DataSource, NodeName, Storage},
    join::{Council, Opened, Roster, Seats},
    peers::{self, Company, Etcd, Member, ROLL},
    pki::{Identity, LeafRequest},
    supervisor::chain,
    sys::clock,
};

/// Somebody waits for this controller's member to be open.
pub type Wish = oneshot::Sender<Opened>;

/// How often the members are looked at while there are several.
const PERIOD: Duration = Duration::from_secs(3);
/// How many looks a client is good for: its certificate is made for it, and ends.
const LOOKS: u32 = 1000;
/// How many looks pass between those at the list in the API.
const CALM: u32 = 5;

/// What this controller appoints others with, and the wishes that come of it.
#[must_use]
pub fn council(node: &Prepared, identity: &Identity) -> (Council, mpsc::Receiver<Wish>) {
    let (wish, wishes) = mpsc::channel(1);
    let seats = match &node.settings.storage {
        Storage::Kine { source: DataSource::Sqlite } => Seats::One,
        Storage::Kine { .. } | Storage::External(_) => Seats::Any,
        Storage::Etcd(_) => Seats::Members(wish),
    };
    let (identity, keys, config) = (identity.clone(), node.paths.pki(), node.controllers.clone());
    (Council { identity, keys, config, seats }, wishes)
}

/// Whether there can be other controllers.
#[must_use]
pub const fn shares(storage: &Storage) -> bool {
    !matches!(storage, Storage::Kine { source: DataSource::Sqlite })
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
    /// The API, with the owner's rights.
    pub api: watch::Receiver<Client>,
}

/// Tends the members for as long as the process lives.
pub async fn tend(mut tending: Tending) {
    let mut told = Told::default();
    loop {
        if tending.company.wait_for(|company| *company == Company::Several).await.is_err() {
            return std::future::pending().await;
        }
        match client(&tending.identity) {
            Ok(etcd) => {
                for number in 0..LOOKS {
                    let members = look(&tending, &etcd).await;
                    if let Some(members) = members.filter(|_| number.is_multiple_of(CALM)) {
                        roll(&tending, &etcd, members, &mut told).await;
                    }
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

async fn look(tending: &Tending, etcd: &Etcd) -> Option<Vec<Member>> {
    let (etcd, name) = (etcd.clone(), tending.name.clone());
    let url = peers::url(*tending.address.borrow());
    match tokio::task::spawn_blocking(move || peers::tend(&etcd, &name, &url)).await {
        Ok(Ok(members)) => Some(members),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the members of etcd could not be looked at");
            None
        }
        Err(_) => None,
    }
}

/// Keeps the list in the API; what hinders that is told once.
async fn roll(tending: &Tending, etcd: &Etcd, members: Vec<Member>, told: &mut Told) {
    let (etcd, name, api) = (etcd.clone(), tending.name.clone(), tending.api.borrow().clone());
    match blocking(move || keep_roll(&etcd, &api, &members, &name)).await {
        Ok(()) => told.forget(),
        Err(error) => {
            let error = chain(&*error);
            if told.is_news(&error) {
                tracing::warn!(error, "the list of etcd's members is not kept");
            }
        }
    }
}

/// The work of the controller whose member leads. A list that somebody changed meanwhile is left for the next time. Nobody
/// is taken out before the list says who exactly: a wish would be granted again to whoever takes the name.
fn keep_roll(etcd: &Etcd, api: &Client, members: &[Member], name: &NodeName) -> Result<(), Failure> {
    let leader = etcd.leader()?;
    if !members.iter().any(|member| member.id == leader && member.name == name.as_str()) {
        return Ok(());
    }
    let path = format!("{CONFIG_MAPS}/{ROLL}");
    let there = api.get(&path)?;
    let lines = there.as_ref().map(lines).unwrap_or_default();
    let due = peers::due(members, &lines);
    let mut list = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": ROLL, "namespace": "kube-system" },
        "data": due.lines,
    });
    let written = match there {
        None => api.create(CONFIG_MAPS, &list)? == Creation::Made,
        Some(there) if lines != due.lines => {
            list["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
            api.replace(&path, &list)?
        }
        Some(_) => true,
    };
    strike(etcd, api, members)?;
    let leaver = due.leaves.and_then(|id| members.iter().find(|member| member.id == id));
    if let Some(leaver) = leaver.filter(|_| written) {
        peers::dismiss(etcd, members, leaver.id)?;
        tracing::info!(name = leaver.name, urls = ?leaver.urls, "out of etcd, as was wished in the list");
    }
    Ok(())
}

/// Takes the lines of controllers that have left out of the roster. One that was let in since the members were looked at has
/// a line already: they are looked at again.
fn strike(etcd: &Etcd, api: &Client, members: &[Member]) -> Result<(), Failure> {
    let roster = Roster::read(api)?;
    if roster.gone(members).is_empty() {
        return Ok(());
    }
    let members = etcd.members()?;
    Ok(Roster::strike(api, &roster.gone(&members))?)
}

fn lines(list: &Value) -> BTreeMap<String, String> {
    let all = list["data"].as_object().into_iter().flatten();
    all.map(|(key, word)| (key.clone(), word.as_str().unwrap_or_default().to_owned())).collect()
}
