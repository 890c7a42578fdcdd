//! Asks at a controller's port whether a cluster is there, without becoming part of it.

use std::{io, sync::Arc, time::Duration};

use rustls::ClientConfig;
use skerry_formats::{digest::Digest, token::Server};
use tokio::{net::TcpStream, task::JoinSet};

use super::found::Heard;
use crate::link::{self, TlsError};

/// How long one may take to take a connection, and then to prove who it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks all of them at once; the answers have no order.
///
/// # Errors
/// If TLS itself cannot be set up.
pub async fn probe(servers: &[Server], authority: Digest) -> Result<Vec<Heard>, TlsError> {
    let config = link::joining(authority)?;
    let mut asked = JoinSet::new();
    for server in servers {
        asked.spawn(one(server.clone(), config.clone()));
    }
    // A question that broke down got no answer that could be silence.
    let mut heard = Vec::new();
    while let Some(answer) = asked.join_next().await {
        heard.push(answer.unwrap_or(Heard::Noise));
    }
    Ok(heard)
}

/// Only a controller of the cluster has a certificate of its authority, and only one that runs shows it.
async fn one(server: Server, config: Arc<ClientConfig>) -> Heard {
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(server.host_and_port())).await;
    let Ok(Ok(stream)) = connected else { return Heard::Nothing };
    let proven = tokio::time::timeout(PATIENCE, link::greet(stream, config)).await;
    judge(proven.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
}

fn judge(proven: io::Result<()>) -> Heard {
    match proven {
        Ok(()) => Heard::Member,
        Err(error) if link::is_foreign(&error) => Heard::Stranger,
        Err(_) => Heard::Noise,
    }
}
