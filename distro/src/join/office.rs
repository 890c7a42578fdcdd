//! What a controller admits nodes with: it looks into the cluster, lets the judge decide, signs, remembers.

use std::time::Duration;

use serde_json::Value;
use skerry_formats::{digest::Digest, token::Server};
use tokio::sync::watch;

use super::{
    judge::{Presence, Refusal, Seen, judge, renews, vouched},
    message::{Admission, Answer, Certificates, JoinRequest, RenewRequest, SigningRequests, Wants},
    record::{NodeRecord, TokenRecord},
    roster::Roster,
    seat::Council,
    serve::{Outcome, ServeError},
};
use crate::{
    api::Client,
    config::NodeName,
    pki::{Authority, LeafRequest, key_print, kube_proxy, kubelet_client, kubelet_server},
    supervisor::chain,
    sys::clock,
};

/// What a controller admits nodes with.
#[derive(Debug)]
pub struct Office {
    /// Signs.
    pub authority: Authority,
    /// The configuration that every node shares.
    pub config: String,
    /// How long certificates are good.
    pub lifetime: Duration,
    /// DNS names of the API.
    pub reserved: Vec<String>,
    /// Where controllers are now.
    pub servers: watch::Receiver<Vec<Server>>,
    /// The API, with the owner's rights.
    pub client: watch::Receiver<Client>,
    /// Appoints controllers.
    pub council: Council,
}

/// Whether the cluster knows a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Yes,
    No,
}

impl Office {
    /// Looks at the token alone.
    pub(super) fn heed(&self, request: &JoinRequest) -> Outcome<()> {
        let token = token(&self.client.borrow().clone(), request)?;
        Ok(vouched(request, token.as_ref(), clock::now().floored()))
    }

    /// Lets a node in.
    pub(super) fn join(&self, request: &JoinRequest) -> Outcome<Answer> {
        let client = self.client.borrow().clone();
        let key = match &request.wants {
            Wants::Worker(keys) => Some(key_print(&keys.node)?),
            Wants::Controller(_) => None,
        };
        let token = token(&client, request)?;
        let joined = record(&client, &request.node)?;
        let present = presence(&client, &request.node)?;
        let roster = Roster::read(&client)?;
        let seen = Seen {
            token: token.as_ref(),
            joined: joined.as_ref(),
            present,
            reserved: &self.reserved,
            roster: &roster,
            now: clock::now().floored(),
        };
        if let Err(refusal) = judge(request, key, &seen) {
            return Ok(Err(refusal));
        }
        match (&request.wants, key) {
            (Wants::Worker(keys), Some(key)) => {
                // With a node deleted before, it is a new one, whose kubelet has yet to come up.
                let registered =
                    joined.as_ref().is_some_and(|joined| joined.registered) && present == Presence::Present;
                let record = NodeRecord { node: request.node.clone(), key, registered };
                if joined.as_ref() != Some(&record) {
                    client.apply(&NodeRecord::path(&request.node), &record.object())?;
                }
                self.admit(&request.node, keys).map(Ok)
            }
            (Wants::Worker(_), None) => Ok(Err(Refusal::BadKeys)),
            (Wants::Controller(candidate), _) => {
                let answer = self.council.appoint(&client, (&request.node, *candidate), &roster)?;
                if answer.is_ok() {
                    Roster::enter(&client, &request.node, candidate.peer)?;
                    // A worker of that name is gone: what it joined with is good for nothing any more.
                    client.delete(&NodeRecord::path(&request.node))?;
                }
                Ok(answer)
            }
        }
    }

    /// Signs anew for a node that joined before.
    pub(super) fn renew(&self, node: &NodeName, key: Digest, request: &RenewRequest) -> Outcome<Answer> {
        let client = self.client.borrow().clone();
        let (joined, present) = (record(&client, node)?, presence(&client, node)?);
        if let Err(refusal) = renews(joined.as_ref(), (key, key_print(&request.keys.node)?), present) {
            return Ok(Err(refusal));
        }
        note(&client, joined.as_ref(), present);
        self.admit(node, &request.keys).map(Ok)
    }

    /// Whether a node is part of the cluster, with the key that it proved to have.
    pub(super) fn known(&self, node: &NodeName, key: Digest) -> Result<Known, ServeError> {
        let client = self.client.borrow().clone();
        let joined = record(&client, node)?.filter(|joined| joined.key == key);
        match &joined {
            Some(joined) if joined.registered => Ok(Known::Yes),
            Some(_) => {
                note(&client, joined.as_ref(), presence(&client, node)?);
                Ok(Known::Yes)
            }
            None => controls(&client, node),
        }
    }

    fn admit(&self, node: &NodeName, keys: &SigningRequests) -> Result<Answer, ServeError> {
        let sign = |csr: &str, request: LeafRequest| {
            let request = LeafRequest { lifetime: self.lifetime, ..request };
            self.authority.certify(csr, &request, clock::now())
        };
        let certificates = Certificates {
            node: sign(&keys.node, kubelet_client(node))?,
            server: sign(&keys.server, kubelet_server(node))?,
            proxy: sign(&keys.proxy, kube_proxy())?,
        };
        Ok(Answer::Admitted(Box::new(Admission {
            authority: self.authority.certificate.clone(),
            certificates,
            lifetime: self.lifetime.as_secs(),
            config: self.config.clone(),
            servers: self.servers.borrow().clone(),
        })))
    }
}

/// The token that a node shows, if the cluster has one of that id.
fn token(client: &Client, request: &JoinRequest) -> Result<Option<TokenRecord>, ServeError> {
    let object = client.get(&TokenRecord::path(&request.token))?;
    Ok(object.as_ref().map(TokenRecord::read).transpose()?.flatten())
}

/// What the cluster remembers of a node.
fn record(client: &Client, node: &NodeName) -> Result<Option<NodeRecord>, ServeError> {
    Ok(client.get(&NodeRecord::path(node))?.as_ref().map(NodeRecord::read).transpose()?)
}

fn presence(client: &Client, node: &NodeName) -> Result<Presence, ServeError> {
    Ok(if client.get(&object(node))?.is_some() { Presence::Present } else { Presence::Absent })
}

/// Remembers that a node's object was there. A record that somebody deleted meanwhile is not made again.
fn note(client: &Client, joined: Option<&NodeRecord>, present: Presence) {
    let Some(joined) = joined.filter(|joined| !joined.registered && present == Presence::Present) else { return };
    if let Err(error) = client.merge(&NodeRecord::path(&joined.node), &NodeRecord::registered()) {
        tracing::debug!(node = %joined.node, error = %chain(&error), "not remembered as registered");
    }
}

/// What only the cluster's owner gives a node: no kubelet may give it to itself.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// Whether a node is a controller's: it signs its own certificates, anew at each start, and there is no record of it. One of
/// an older version has no line among the controllers yet, but its node has the label.
fn controls(client: &Client, node: &NodeName) -> Result<Known, ServeError> {
    let labelled = |object: Value| !object["metadata"]["labels"][CONTROL_PLANE].is_null();
    let controls = Roster::read(client)?.has(node) || client.get(&object(node))?.is_some_and(labelled);
    Ok(if controls { Known::Yes } else { Known::No })
}

/// Path of a node's object.
fn object(node: &NodeName) -> String {
    format!("/api/v1/nodes/{node}")
}
