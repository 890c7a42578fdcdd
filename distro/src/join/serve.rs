//! A controller's side: looks into the cluster, lets the judge decide, signs, remembers.

use std::{sync::Arc, time::Duration};

use skerry_formats::{digest::Digest, token::Server};
use tokio::sync::{Mutex, watch};

use super::{
    judge::{Presence, Refusal, Seen, judge},
    message::{Admission, Answer, Certificates, JoinRequest, RenewRequest, SigningRequests},
    record::{BadRecord, NodeRecord, TokenRecord},
};
use crate::{
    api::{ApiError, Client},
    config::NodeName,
    pki::{Authority, CertError, LeafRequest, key_print, kube_proxy, kubelet_client, kubelet_server},
    supervisor::chain,
    sys::clock,
};

/// A question that cannot be answered now.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// What it remembers.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] CertError),
}

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
}

/// Admits nodes, one at a time.
#[derive(Clone, Debug)]
pub struct Admitter {
    office: Arc<Office>,
    turn: Arc<Mutex<()>>,
}

impl Admitter {
    /// An admitter.
    #[must_use]
    pub fn new(office: Office) -> Self {
        Self { office: Arc::new(office), turn: Arc::default() }
    }

    /// Answers a node that wants to join. Asking again with the same keys gives the same answer, as after a lost one.
    pub async fn join(&self, request: JoinRequest) -> Answer {
        let node = request.node.clone();
        let answer = self.answer(move |office| office.join(&request)).await;
        tell(&node, "joined", &answer);
        answer
    }

    /// Answers a node that joined before, known by its certificate's name and key.
    pub async fn renew(&self, node: NodeName, key: Digest, request: RenewRequest) -> Answer {
        let name = node.clone();
        let answer = self.answer(move |office| office.renew(node, key, &request)).await;
        tell(&name, "renewed its certificates", &answer);
        answer
    }

    /// One at a time: who tries secrets waits for everybody else's turn too.
    async fn answer(
        &self,
        work: impl FnOnce(&Office) -> Result<Result<Admission, Refusal>, ServeError> + Send + 'static,
    ) -> Answer {
        let _turn = self.turn.lock().await;
        let office = self.office.clone();
        let done = tokio::task::spawn_blocking(move || work(&office)).await;
        match done {
            Ok(Ok(Ok(admission))) => Answer::Admitted(Box::new(admission)),
            Ok(Ok(Err(refusal))) => Answer::Refused(refusal),
            Ok(Err(ServeError::Keys(_))) => Answer::Refused(Refusal::BadKeys),
            Ok(Err(error)) => Answer::Refused(Refusal::NotYet { why: chain(&error) }),
            Err(error) => Answer::Refused(Refusal::NotYet { why: error.to_string() }),
        }
    }
}

fn tell(node: &NodeName, done: &str, answer: &Answer) {
    match answer {
        Answer::Admitted(_) => tracing::info!(%node, "{done}"),
        Answer::Refused(refusal) => tracing::warn!(%node, why = %refusal, "refused"),
    }
}

impl Office {
    fn join(&self, request: &JoinRequest) -> Result<Result<Admission, Refusal>, ServeError> {
        let client = self.client.borrow().clone();
        let key = key_print(&request.keys.node)?;
        let token = client.get(&TokenRecord::path(&request.token))?;
        let token = token.as_ref().map(TokenRecord::read).transpose()?.flatten();
        let joined = client.get(&NodeRecord::path(&request.node))?;
        let joined = joined.as_ref().map(NodeRecord::read).transpose()?;
        let present = match client.get(&format!("/api/v1/nodes/{}", request.node))? {
            Some(_) => Presence::Present,
            None => Presence::Absent,
        };
        let seen = Seen {
            token: token.as_ref(),
            joined: joined.as_ref(),
            present,
            reserved: &self.reserved,
            now: clock::now().floored(),
        };
        if let Err(refusal) = judge(request, key, &seen) {
            return Ok(Err(refusal));
        }
        let record = NodeRecord { node: request.node.clone(), key };
        if joined.as_ref() != Some(&record) {
            client.apply(&NodeRecord::path(&request.node), &record.object())?;
        }
        self.admit(&request.node, &request.keys).map(Ok)
    }

    fn renew(
        &self,
        node: NodeName,
        key: Digest,
        request: &RenewRequest,
    ) -> Result<Result<Admission, Refusal>, ServeError> {
        let joined = self.client.borrow().clone().get(&NodeRecord::path(&node))?;
        let joined = joined.as_ref().map(NodeRecord::read).transpose()?;
        // The key that the node proved to have, the one that it joined with, and the one that it wants signed, are one.
        let known = joined.is_some_and(|joined| joined.key == key) && key_print(&request.keys.node)? == key;
        if !known {
            return Ok(Err(Refusal::UnknownNode));
        }
        self.admit(&node, &request.keys).map(Ok)
    }

    fn admit(&self, node: &NodeName, keys: &SigningRequests) -> Result<Admission, ServeError> {
        let sign = |csr: &str, request: LeafRequest| {
            let request = LeafRequest { lifetime: self.lifetime, ..request };
            self.authority.certify(csr, &request, clock::now())
        };
        let certificates = Certificates {
            node: sign(&keys.node, kubelet_client(node))?,
            server: sign(&keys.server, kubelet_server(node))?,
            proxy: sign(&keys.proxy, kube_proxy())?,
        };
        Ok(Admission {
            authority: self.authority.certificate.clone(),
            certificates,
            lifetime: self.lifetime.as_secs(),
            config: self.config.clone(),
            servers: self.servers.borrow().clone(),
        })
    }
}
