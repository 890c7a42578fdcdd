//! What a controller admits nodes with: it looks into the cluster, lets the judge decide, signs, remembers.

use std::time::Duration;

use skerry_formats::{digest::Digest, token::Server};
use tokio::sync::watch;

use super::{
    judge::{Presence, Refusal, Seen, judge, vouched},
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
        let joined = client.get(&NodeRecord::path(&request.node))?;
        let joined = joined.as_ref().map(NodeRecord::read).transpose()?;
        let present = match client.get(&format!("/api/v1/nodes/{}", request.node))? {
            Some(_) => Presence::Present,
            None => Presence::Absent,
        };
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
                let record = NodeRecord { node: request.node.clone(), key };
                if joined.as_ref() != Some(&record) {
                    client.apply(&NodeRecord::path(&request.node), &record.object())?;
                }
                self.admit(&request.node, keys).map(Ok)
            }
            (Wants::Worker(_), None) => Ok(Err(Refusal::BadKeys)),
            (Wants::Controller(candidate), _) => {
                let answer = self.council.appoint((&request.node, *candidate), &roster)?;
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
        let joined = self.client.borrow().clone().get(&NodeRecord::path(node))?;
        let joined = joined.as_ref().map(NodeRecord::read).transpose()?;
        // The key that the node proved to have, the one that it joined with, and the one that it wants signed, are one.
        let known = joined.is_some_and(|joined| joined.key == key) && key_print(&request.keys.node)? == key;
        if !known {
            return Ok(Err(Refusal::UnknownNode));
        }
        self.admit(node, &request.keys).map(Ok)
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
