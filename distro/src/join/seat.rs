//! Among controllers: who is appointed, and where its etcd has a place.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use tokio::sync::{mpsc, oneshot};

use super::{
    judge::Refusal,
    message::{Answer, Appointment, Candidate},
    roster::Roster,
    serve::{Outcome, ServeError},
};
use crate::{
    api::Client,
    config::NodeName,
    encryption,
    peers::{self, Admit, Door, Etcd, Member, Peer},
    pki::Identity,
    sys::{
        clock::{self, Stopwatch},
        net,
    },
};

/// What a controller appoints others with.
#[derive(Debug)]
pub struct Council {
    /// The cluster's keys, but for those of Secrets.
    pub identity: Identity,
    /// Where the cluster's keys lie: those of Secrets may be others than at this controller's start.
    pub keys: PathBuf,
    /// The configuration that controllers share.
    pub config: String,
    /// How many controllers there can be.
    pub seats: Seats,
}

/// How many controllers a cluster can have: its objects' place decides.
#[derive(Debug)]
pub enum Seats {
    /// This one alone.
    One,
    /// Any number: the objects are with somebody else.
    Any,
    /// The members of the cluster's own etcd, where this controller's member has been opened.
    Members(mpsc::Sender<oneshot::Sender<Opened>>),
}

/// A member that listens for others, or will in a moment.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its node's name.
    pub name: NodeName,
    /// Where it is reached.
    pub address: IpAddr,
    /// Its client.
    pub etcd: Etcd,
}

/// How long this controller's own etcd may take to listen for others.
const OPENING: Duration = Duration::from_secs(60);
/// The pause between looks at it.
const AGAIN: Duration = Duration::from_millis(200);

impl Council {
    /// Appoints a controller, unless its name or address is another's.
    pub(super) fn appoint(
        &self,
        client: &Client,
        (node, candidate): (&NodeName, Candidate),
        roster: &Roster,
    ) -> Outcome<Answer> {
        let peers = match &self.seats {
            Seats::One => return Ok(Err(Refusal::OneController)),
            // Nothing but the roster says who shares the datastore. The same name at the same address is the same machine.
            Seats::Any if roster.has(node) && !roster.is(node, candidate.peer) => {
                return Ok(Err(Refusal::NameOfController { node: node.clone() }));
            }
            Seats::Any => Vec::new(),
            Seats::Members(open) => match seat(open, node, candidate)? {
                Ok(members) => members.iter().filter_map(peer).collect(),
                Err(barred) => return Ok(Err(barred.into())),
            },
        };
        let keyring = encryption::expect(client, (&self.keys, &self.identity.ca.key), node)?;
        let (identity, config) = (Identity { keyring, ..self.identity.clone() }, self.config.clone());
        Ok(Ok(Answer::Appointed(Box::new(Appointment { identity, config, peers }))))
    }
}

/// Makes the candidate a member without a vote, unless it is one, once this controller's own member can be reached.
fn seat(
    open: &mpsc::Sender<oneshot::Sender<Opened>>,
    node: &NodeName,
    candidate: Candidate,
) -> Result<Result<Vec<Member>, peers::Barred>, ServeError> {
    let (tell, told) = oneshot::channel();
    open.blocking_send(tell).map_err(|_| ServeError::NotOpen)?;
    let Opened { name, address, etcd } = told.blocking_recv().map_err(|_| ServeError::NotOpen)?;
    let begun = Stopwatch::start();
    while !net::answers(peers::address(address)) || etcd.members().is_err() {
        if begun.elapsed() > OPENING {
            return Err(ServeError::NotOpen);
        }
        clock::sleep(AGAIN);
    }
    peers::tend(&etcd, &name, &peers::url(address))?;
    let (members, url) = (etcd.members()?, peers::url(candidate.peer));
    let door = if net::refuses(peers::address(candidate.peer)) { Door::Shut } else { Door::Unknown };
    Ok(match peers::admit(&members, node, &url, door) {
        Ok(Admit::Known) => Ok(members),
        Ok(Admit::Add) => Ok(etcd.add_learner(&url)?),
        Ok(Admit::Replace(former)) => {
            // What is not there gets no vote again: the newcomer begins as a learner, with a number of its own.
            etcd.remove(former)?;
            tracing::info!(%node, "its former member of etcd is gone with its disk, and out");
            Ok(etcd.add_learner(&url)?)
        }
        Err(barred) => Err(barred),
    })
}

fn peer(member: &Member) -> Option<Peer> {
    let name = member.name.parse().ok()?;
    member.urls.first().map(|url| Peer { name, url: url.clone() })
}
