//! The one port of a controller: each connection to whom it is for.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use skerry_formats::digest::Digest;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    PORT,
    call::{Hello, splice},
    hello::{self, For},
    mux::{self, End},
    registry::Registry,
    tls::{Answering, Credentials, TlsError, answering, key_of, node_of},
};
use crate::{
    config::NodeName,
    join::{Admitter, Answer, JoinRequest, Refusal, RenewRequest, read, read_request, write},
    sys::net,
};

/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many callers may be undecided at a time.
const UNDECIDED: usize = 128;
/// How often it is looked whether a linked node is part of the cluster still.
const AGAIN: Duration = Duration::from_secs(60);

/// What a controller answers with. It changes as certificates are renewed; connections that stand are not touched.
pub type Keys = watch::Receiver<Arc<Answering>>;

/// A controller's port.
#[derive(Debug)]
pub struct Front {
    keys: Keys,
    registry: Registry,
    admitter: Option<Admitter>,
    undecided: Arc<Semaphore>,
    listeners: BTreeMap<IpAddr, JoinHandle<()>>,
}

impl Front {
    /// What there is to answer with.
    ///
    /// # Errors
    /// If the credentials are damaged.
    pub fn keys(credentials: &Credentials) -> Result<Arc<Answering>, TlsError> {
        answering(credentials).map(Arc::new)
    }

    /// A port that nobody listens on yet. Without an admitter, nobody can join.
    #[must_use]
    pub fn new(keys: Keys, registry: Registry, admitter: Option<Admitter>) -> Self {
        Self { keys, registry, admitter, undecided: Arc::new(Semaphore::new(UNDECIDED)), listeners: BTreeMap::new() }
    }

    /// Listens on these addresses and on no other. One that cannot be had yet is tried again the next time.
    pub fn listen(&mut self, addresses: &[IpAddr]) {
        self.listeners.retain(|address, task| {
            let keep = addresses.contains(address) && !task.is_finished();
            if !keep {
                task.abort();
            }
            keep
        });
        for address in addresses {
            if self.listeners.contains_key(address) {
                continue;
            }
            match net::listen(SocketAddr::new(*address, PORT)).and_then(TcpListener::from_std) {
                Ok(listener) => {
                    let desk = Desk {
                        keys: self.keys.clone(),
                        registry: self.registry.clone(),
                        admitter: self.admitter.clone(),
                        undecided: self.undecided.clone(),
                    };
                    self.listeners.insert(*address, tokio::spawn(desk.serve(listener)));
                }
                Err(error) => tracing::warn!(%address, port = PORT, %error, "cannot listen"),
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Desk {
    keys: Keys,
    registry: Registry,
    admitter: Option<Admitter>,
    undecided: Arc<Semaphore>,
}

impl Desk {
    async fn serve(self, listener: TcpListener) {
        loop {
            let Ok(permit) = self.undecided.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, caller)) => {
                    let desk = self.clone();
                    tokio::spawn(async move {
                        let wish = tokio::time::timeout(PATIENCE, decide(&stream)).await;
                        drop(permit);
                        let Ok(Ok(wish)) = wish else { return };
                        if let Err(error) = desk.attend(stream, wish).await {
                            tracing::debug!(%caller, %error, "a connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a caller was lost");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn attend(self, stream: TcpStream, wish: For) -> io::Result<()> {
        net::keep_alive(&stream)?;
        let keys = self.keys.borrow().clone();
        match wish {
            For::Api | For::More => {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).await?;
                server.set_nodelay(true)?;
                splice(stream, server).await
            }
            For::Join => self.join(accept(stream, &keys.join).await?).await,
            For::Renew => self.renew(accept(stream, &keys.renew).await?).await,
            For::Link => self.link(accept(stream, &keys.link).await?).await,
        }
    }

    async fn join(self, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
        let request: JoinRequest = tokio::time::timeout(PATIENCE, read_request(&mut stream)).await??;
        let answer = match self.admitter {
            Some(admitter) => admitter.join(request).await,
            None => Answer::Refused(Refusal::NotYet { why: ALONE.to_owned() }),
        };
        write(&mut stream, &answer).await
    }

    async fn renew(self, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
        let request: RenewRequest = tokio::time::timeout(PATIENCE, read_request(&mut stream)).await??;
        let answer = match (self.admitter, caller(&stream)) {
            (Some(admitter), Some((node, key))) => admitter.renew(node, key, request).await,
            (None, _) => Answer::Refused(Refusal::NotYet { why: ALONE.to_owned() }),
            (_, None) => Answer::Refused(Refusal::UnknownNode),
        };
        write(&mut stream, &answer).await
    }

    async fn link(self, stream: TlsStream<TcpStream>) -> io::Result<()> {
        let Some((node, key)) = caller(&stream) else { return Ok(()) };
        let (give, mut take) = mpsc::channel(4);
        let (opener, driver) = mux::run(stream, End::Called, give);
        let mut driver = tokio::spawn(driver);
        let first = tokio::time::timeout(PATIENCE, async {
            let mut stream = take.recv().await?;
            read::<Hello>(&mut stream).await.ok()
        });
        let Ok(Some(hello)) = first.await else {
            driver.abort();
            return Ok(());
        };
        if !self.knows(&node, key).await {
            driver.abort();
            return Ok(());
        }
        tracing::info!(%node, "linked");
        let entry = self.registry.enter(node.clone(), opener, hello);
        let why = loop {
            tokio::select! {
                why = &mut driver => break why.map_or_else(|error| error.to_string(), |error| error.to_string()),
                () = tokio::time::sleep(AGAIN) => if !self.knows(&node, key).await {
                    driver.abort();
                    break Refusal::UnknownNode.to_string();
                }
            }
        };
        drop(entry);
        tracing::info!(%node, %why, "link ended");
        Ok(())
    }

    /// Whether a node is part of the cluster, with the key that it proved to have.
    async fn knows(&self, node: &NodeName, key: Digest) -> bool {
        match &self.admitter {
            Some(admitter) => admitter.links(node, key).await,
            None => true,
        }
    }
}

const ALONE: &str = "this node is a whole cluster (`--single`), which no other joins";

async fn decide(stream: &TcpStream) -> io::Result<For> {
    let mut bytes = vec![0; hello::LONGEST];
    loop {
        let count = stream.peek(&mut bytes).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match hello::look(&bytes[..count]) {
            For::More => tokio::time::sleep(Duration::from_millis(5)).await,
            wish => return Ok(wish),
        }
    }
}

async fn accept(stream: TcpStream, config: &Arc<rustls::ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    tokio::time::timeout(PATIENCE, TlsAcceptor::from(config.clone()).accept(stream)).await?
}

/// Name and key of the node at the other end, as its certificate says.
fn caller(stream: &TlsStream<TcpStream>) -> Option<(NodeName, Digest)> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some((node_of(certificate)?, key_of(certificate)?))
}
