//! A joining node's side.

use std::{io, sync::Arc, time::Duration};

use rustls::ClientConfig;
use serde::Serialize;
use skerry_formats::token::{JoinToken, Server};
use tokio::task::JoinSet;

use super::{
    judge::Refusal,
    membership::{Membership, PrivateKeys, merged},
    message::{Admission, Answer, Appointment, Candidate, JoinRequest, RenewRequest, Wants, read, write},
};
use crate::{
    config::NodeName,
    link::{self, TlsError},
    pki::CertError,
};

/// How long a controller may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long all of them together may take to tell news, and how long it is before the next is asked as well.
const NEWS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(250));

/// A node that is not part of the cluster, yet or any longer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A controller answered, and the answer was no.
    #[error("{server} refused this node")]
    Refused {
        /// Who.
        server: Server,
        /// Why.
        #[source]
        why: Refusal,
    },
    /// None answered.
    #[error("no controller answers: {0}")]
    Unreachable(String),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] CertError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl AskError {
    /// What to do about it, if it is not to wait.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { why, .. } => why.hint(),
            Self::Unreachable(_) => {
                Some("check the address in the token and that port 6443 there can be reached".to_owned())
            }
            Self::Keys(_) | Self::Tls(_) => None,
        }
    }
}

/// Asks the controllers of a token, one after the other, to let this node in as a worker. `keys` are to be the same when it
/// asks again: by them the cluster knows a node whose answer got lost.
///
/// # Errors
/// If none answers or one refuses.
pub async fn join(token: &JoinToken, node: &NodeName, keys: &PrivateKeys) -> Result<Membership, AskError> {
    let request = JoinRequest {
        node: node.clone(),
        token: token.id.clone(),
        secret: token.secret.clone(),
        wants: Wants::Worker(keys.requests()?),
    };
    let admission = ask(&token.servers, &link::joining(token.authority)?, &request, admission).await?;
    let servers = merged(&token.servers, &admission.servers);
    Ok(Membership { node: node.clone(), keys: keys.clone(), admission: Admission { servers, ..admission } })
}

/// Asks the controllers of a token, one after the other, to make this node one of them.
///
/// # Errors
/// If none answers or one refuses.
pub async fn appoint(token: &JoinToken, node: &NodeName, candidate: Candidate) -> Result<Appointment, AskError> {
    let request = JoinRequest {
        node: node.clone(),
        token: token.id.clone(),
        secret: token.secret.clone(),
        wants: Wants::Controller(candidate),
    };
    let appointment = |answer| match answer {
        Answer::Appointed(appointment) => Some(*appointment),
        Answer::Admitted(_) | Answer::Refused(_) => None,
    };
    ask(&token.servers, &link::joining(token.authority)?, &request, appointment).await
}

fn admission(answer: Answer) -> Option<Admission> {
    match answer {
        Answer::Admitted(admission) => Some(*admission),
        Answer::Appointed(_) | Answer::Refused(_) => None,
    }
}

/// Asks the controllers that a member knows for new certificates and news of the cluster.
///
/// # Errors
/// If none answers or one refuses.
pub async fn renew(member: &Membership) -> Result<Membership, AskError> {
    let request = RenewRequest { keys: member.keys.requests()? };
    let admission =
        ask(&member.admission.servers, &link::renewing(&member.credentials())?, &request, admission).await?;
    Ok(member.renewed(admission))
}

/// Asks as [`renew`] does, but gives up within seconds: one after the other, each as soon as the one before is slow or has
/// failed, and takes the first answer. Whom the cluster does not know any more, as one does not that was made anew with its
/// keys or restored from an older backup, is let in again by its token, if that is still good.
///
/// # Errors
/// If none answers in time or one refuses.
pub async fn news(member: &Membership, token: Option<&JoinToken>) -> Result<Membership, AskError> {
    let (request, config) = (RenewRequest { keys: member.keys.requests()? }, link::renewing(&member.credentials())?);
    let told = in_time(race(&member.admission.servers, &config, &request)).await;
    match (told, token) {
        (Err(AskError::Refused { why: Refusal::UnknownNode, .. }), Some(token)) => {
            let again = in_time(join(token, &member.node, &member.keys)).await?;
            Ok(member.renewed(again.admission))
        }
        (told, _) => Ok(member.renewed(told?)),
    }
}

async fn in_time<T>(asked: impl Future<Output = Result<T, AskError>>) -> Result<T, AskError> {
    let late = |_| AskError::Unreachable(format!("no answer within {} s", NEWS.0.as_secs()));
    tokio::time::timeout(NEWS.0, asked).await.map_err(late)?
}

async fn race(servers: &[Server], config: &Arc<ClientConfig>, request: &RenewRequest) -> Result<Admission, AskError> {
    let (mut asked, mut silent, mut rest) = (JoinSet::new(), Vec::new(), servers.iter().cloned());
    loop {
        let more = rest.next().map(|server| {
            let (config, request) = (config.clone(), request.clone());
            asked.spawn(async move {
                let answer = once(&server, config, &request).await;
                (server, answer)
            })
        });
        let answered = match more {
            Some(_) => tokio::time::timeout(NEWS.1, asked.join_next()).await,
            None => Ok(asked.join_next().await),
        };
        match answered {
            Err(_) | Ok(Some(Err(_))) => {}
            Ok(None) => return Err(AskError::Unreachable(silent.join("; "))),
            Ok(Some(Ok((server, answer)))) => match hear(&server, answer, admission) {
                Heard::Given(given) => return Ok(given),
                Heard::Refused(why) => return Err(AskError::Refused { server, why }),
                Heard::Nothing(why) => silent.push(why),
            },
        }
    }
}

/// A refusal by one is a refusal by all, unless it only means "not yet".
async fn ask<T: Serialize + Sync, R>(
    servers: &[Server],
    config: &Arc<ClientConfig>,
    request: &T,
    taken: impl Fn(Answer) -> Option<R>,
) -> Result<R, AskError> {
    let mut silent = Vec::new();
    for server in servers {
        let asked = tokio::time::timeout(PATIENCE, once(server, config.clone(), request)).await;
        match hear(server, asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())), &taken) {
            Heard::Given(given) => return Ok(given),
            Heard::Refused(why) => return Err(AskError::Refused { server: server.clone(), why }),
            Heard::Nothing(why) => silent.push(why),
        }
    }
    Err(AskError::Unreachable(silent.join("; ")))
}

/// What came of asking one controller.
enum Heard<R> {
    Given(R),
    Refused(Refusal),
    /// Why the next is to be asked.
    Nothing(String),
}

fn hear<R>(server: &Server, answer: io::Result<Answer>, taken: impl Fn(Answer) -> Option<R>) -> Heard<R> {
    match answer {
        Ok(Answer::Refused(why @ Refusal::NotYet { .. })) => Heard::Nothing(format!("{server}: {why}")),
        Ok(Answer::Refused(why)) => Heard::Refused(why),
        Ok(answer) => taken(answer)
            .map_or_else(|| Heard::Nothing(format!("{server}: answered something else than was asked")), Heard::Given),
        Err(error) => Heard::Nothing(format!("{server}: {}", link::told(&error))),
    }
}

async fn once<T: Serialize + Sync>(server: &Server, config: Arc<ClientConfig>, request: &T) -> io::Result<Answer> {
    let mut stream = link::call(server, config).await?;
    write(&mut stream, request).await?;
    read(&mut stream).await
}
