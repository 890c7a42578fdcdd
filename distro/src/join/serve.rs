//! A controller's side: looks into the cluster, lets the judge decide, signs, remembers.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use skerry_formats::{digest::Digest, token::Server};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::{
    judge::{Presence, Refusal, Seen, judge},
    message::{
        Admission, Answer, Appointment, Candidate, Certificates, JoinRequest, RenewRequest, SigningRequests, Wants,
    },
    record::{BadRecord, NodeRecord, TokenRecord},
};
use crate::{
    api::{ApiError, Client},
    config::NodeName,
    encryption::{self, FollowError},
    peers::{self, Admit, Door, Etcd, EtcdError, Member, Peer},
    pki::{Authority, CertError, Identity, LeafRequest, key_print, kube_proxy, kubelet_client, kubelet_server},
    supervisor::chain,
    sys::{
        clock::{self, Stopwatch},
        net,
    },
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
    /// The members of etcd.
    #[error(transparent)]
    Etcd(#[from] EtcdError),
    /// The keys of Secrets.
    #[error(transparent)]
    Secrets(#[from] FollowError),
    /// This controller's own etcd does not get ready for another.
    #[error("this controller's etcd does not take others yet")]
    NotOpen,
}

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
        work: impl FnOnce(&Office) -> Result<Result<Answer, Refusal>, ServeError> + Send + 'static,
    ) -> Answer {
        let _turn = self.turn.lock().await;
        let office = self.office.clone();
        let done = tokio::task::spawn_blocking(move || work(&office)).await;
        match done {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(refusal))) => Answer::Refused(refusal),
            Ok(Err(ServeError::Keys(_))) => Answer::Refused(Refusal::BadKeys),
            Ok(Err(error)) => Answer::Refused(Refusal::NotYet { why: chain(&error) }),
            Err(error) => Answer::Refused(Refusal::NotYet { why: error.to_string() }),
        }
    }
}

fn tell(node: &NodeName, done: &str, answer: &Answer) {
    match answer {
        Answer::Admitted(_) | Answer::Appointed(_) => tracing::info!(%node, "{done}"),
        Answer::Refused(refusal) => tracing::warn!(%node, why = %refusal, "refused"),
    }
}

impl Office {
    fn join(&self, request: &JoinRequest) -> Result<Result<Answer, Refusal>, ServeError> {
        let client = self.client.borrow().clone();
        let key = match &request.wants {
            Wants::Worker(keys) => Some(key_print(&keys.node)?),
            Wants::Controller(_) => None,
        };
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
        match (&request.wants, key) {
            (Wants::Worker(keys), Some(key)) => {
                let record = NodeRecord { node: request.node.clone(), key };
                if joined.as_ref() != Some(&record) {
                    client.apply(&NodeRecord::path(&request.node), &record.object())?;
                }
                self.admit(&request.node, keys).map(Ok)
            }
            (Wants::Worker(_), None) => Ok(Err(Refusal::BadKeys)),
            (Wants::Controller(candidate), _) => self.council.appoint(&client, &request.node, *candidate),
        }
    }

    fn renew(
        &self,
        node: NodeName,
        key: Digest,
        request: &RenewRequest,
    ) -> Result<Result<Answer, Refusal>, ServeError> {
        let joined = self.client.borrow().clone().get(&NodeRecord::path(&node))?;
        let joined = joined.as_ref().map(NodeRecord::read).transpose()?;
        // The key that the node proved to have, the one that it joined with, and the one that it wants signed, are one.
        let known = joined.is_some_and(|joined| joined.key == key) && key_print(&request.keys.node)? == key;
        if !known {
            return Ok(Err(Refusal::UnknownNode));
        }
        self.admit(&node, &request.keys).map(Ok)
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

/// How long this controller's own etcd may take to listen for others.
const OPENING: Duration = Duration::from_secs(60);
/// The pause between looks at it.
const AGAIN: Duration = Duration::from_millis(200);

impl Council {
    fn appoint(
        &self,
        client: &Client,
        node: &NodeName,
        candidate: Candidate,
    ) -> Result<Result<Answer, Refusal>, ServeError> {
        let peers = match &self.seats {
            Seats::One => return Ok(Err(Refusal::OneController)),
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
