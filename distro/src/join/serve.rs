//! A controller's side: who asks is answered, each kind in a queue of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use skerry_formats::digest::Digest;
use tokio::sync::{Mutex, Semaphore};

use super::{
    judge::Refusal,
    message::{Answer, JoinRequest, RenewRequest, Wants},
    office::{Known, Office},
    record::BadRecord,
};
use crate::{
    api::ApiError, config::NodeName, encryption::FollowError, peers::EtcdError, pki::CertError, supervisor::chain,
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

/// How many tokens are looked up at a time: who tries secrets waits for others who do, and for nobody who has one.
const GUESSES: usize = 4;
/// How long the cluster may take to say whether it knows a node that wants to be linked.
const PATIENCE: Duration = Duration::from_secs(3);

/// Admits nodes: workers one at a time, and controllers one at a time, since their etcd may take a minute to take one in.
#[derive(Clone, Debug)]
pub struct Admitter {
    office: Arc<Office>,
    guesses: Arc<Semaphore>,
    turn: Arc<Mutex<()>>,
    seat: Arc<Mutex<()>>,
    /// Whose link was refused, with which key, so that it is told once.
    refused: Arc<std::sync::Mutex<BTreeMap<NodeName, Digest>>>,
}

/// Work that looks into the cluster: it may come to no, or to nothing.
pub(super) type Outcome<T> = Result<Result<T, Refusal>, ServeError>;

impl Admitter {
    /// An admitter.
    #[must_use]
    pub fn new(office: Office) -> Self {
        Self {
            office: Arc::new(office),
            guesses: Arc::new(Semaphore::new(GUESSES)),
            turn: Arc::default(),
            seat: Arc::default(),
            refused: Arc::default(),
        }
    }

    /// Answers a node that wants to join. Asking again with the same keys gives the same answer, as after a lost one.
    pub async fn join(&self, request: JoinRequest) -> Answer {
        let node = request.node.clone();
        let answer = self.admitted(request).await.unwrap_or_else(Answer::Refused);
        tell(&node, "joined", &answer);
        answer
    }

    /// Nobody without a token is let into the queues.
    async fn admitted(&self, request: JoinRequest) -> Result<Answer, Refusal> {
        let asked = request.clone();
        let guess = self.guesses.acquire().await;
        self.work(move |office| office.heed(&asked)).await?;
        drop(guess);
        let _turn = match &request.wants {
            Wants::Worker(_) => self.turn.lock().await,
            Wants::Controller(_) => self.seat.lock().await,
        };
        self.work(move |office| office.join(&request)).await
    }

    /// Answers a node that joined before, known by its certificate's name and key.
    pub async fn renew(&self, node: NodeName, key: Digest, request: RenewRequest) -> Answer {
        let name = node.clone();
        let _turn = self.turn.lock().await;
        let answer = self.work(move |office| office.renew(&node, key, &request)).await.unwrap_or_else(Answer::Refused);
        tell(&name, "renewed its certificates", &answer);
        answer
    }

    /// Whether a node is to be linked, by its certificate's name and key. While the cluster does not say, it is.
    pub async fn links(&self, node: &NodeName, key: Digest) -> bool {
        let (name, office) = (node.clone(), self.office.clone());
        let asked = tokio::task::spawn_blocking(move || office.known(&name, key));
        let known = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(known))) => known,
            Ok(Ok(Err(error))) => {
                tracing::debug!(%node, error = %chain(&error), "not looked up");
                Known::Yes
            }
            Ok(Err(_)) | Err(_) => Known::Yes,
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Known::Yes => refused.retain(|name, other| name != node || *other != key),
            Known::No if refused.insert(node.clone(), key) != Some(key) => {
                tracing::warn!(%node, why = %Refusal::UnknownNode, "not linked");
            }
            Known::No => {}
        }
        known == Known::Yes
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Office) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let office = self.office.clone();
        match tokio::task::spawn_blocking(move || work(&office)).await {
            Ok(Ok(done)) => done,
            Ok(Err(ServeError::Keys(_))) => Err(Refusal::BadKeys),
            Ok(Err(error)) => Err(Refusal::NotYet { why: chain(&error) }),
            Err(error) => Err(Refusal::NotYet { why: error.to_string() }),
        }
    }
}

fn tell(node: &NodeName, done: &str, answer: &Answer) {
    match answer {
        Answer::Admitted(_) | Answer::Appointed(_) => tracing::info!(%node, "{done}"),
        Answer::Refused(refusal) => tracing::warn!(%node, why = %refusal, "refused"),
    }
}
