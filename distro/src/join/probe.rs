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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use skerry_formats::token::Server;
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};
    use tokio_rustls::TlsAcceptor;

    use super::{Heard, probe};
    use crate::{
        config::Lifetimes,
        link::{Credentials, Front, print_of},
        pki::{Authority, CONTROLLER_NAME, LeafRequest, kubelet_server},
        sys::clock,
    };

    fn authority() -> Authority {
        Authority::generate("farm", Lifetimes::default().authority, clock::now()).expect("an authority")
    }

    async fn listener() -> (TcpListener, Server) {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a port");
        let server = listener.local_addr().expect("bound").to_string().parse().expect("valid");
        (listener, server)
    }

    /// A controller of a cluster, as far as it answers who joins.
    async fn controller(ca: &Authority) -> Server {
        let name = "tower".parse().expect("a name");
        let request = LeafRequest { dns_names: vec![CONTROLLER_NAME.to_owned()], ..kubelet_server(&name) };
        let leaf = ca.issue(&request, clock::now()).expect("issued");
        let keys = Front::keys(&Credentials { authority: ca.certificate.clone(), leaf }).expect("keys");
        let (listener, server) = listener().await;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _met = TlsAcceptor::from(keys.join.clone()).accept(stream).await;
            }
        });
        server
    }

    #[tokio::test]
    async fn a_controller_is_told_from_another_clusters_from_noise_and_from_nothing() {
        let (ours, other) = (authority(), authority());
        let print = print_of(&ours.certificate).expect("a print");
        let (member, stranger) = (controller(&ours).await, controller(&other).await);
        let (closed, nothing) = listener().await;
        drop(closed);
        let (noisy, noise) = listener().await;
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = noisy.accept().await {
                let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        for (server, heard) in
            [(&member, Heard::Member), (&stranger, Heard::Stranger), (&noise, Heard::Noise), (&nothing, Heard::Nothing)]
        {
            assert_eq!(probe(std::slice::from_ref(server), print).await.expect("asked"), [heard], "{server}");
        }
        let all = probe(&[nothing, stranger, member], print).await.expect("asked");
        assert!(all.len() == 3 && all.contains(&Heard::Member), "{all:?}");
    }
}
