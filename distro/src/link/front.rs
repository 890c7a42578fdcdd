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
    PORT, accept,
    call::Hello,
    hello::For,
    mux::{self, End},
    registry::Registry,
    splice::splice,
    tls::{Answering, Credentials, TlsError, answering, key_of, node_of},
    undecided::{Undecided, decide},
};
use crate::{
    config::NodeName,
    join::{Admitter, Answer, JoinRequest, Refusal, RenewRequest, read, read_request, write},
    sys::net,
};

/// How long a caller may take for each step of proving who it is and saying what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many callers that have not proven yet who they are may be joining at a time, and how many renewing: each may hold a
/// message of some size, and all wait for one clerk. Who is refused asks again.
const STRANGERS: usize = 16;
/// How often it is looked whether a linked node is part of the cluster still.
const AGAIN: Duration = Duration::from_secs(60);

/// What a controller answers with. It changes as certificates are renewed; connections that stand are not touched.
pub type Keys = watch::Receiver<Arc<Answering>>;

/// A controller's port.
#[derive(Debug)]
pub struct Front {
    desk: Desk,
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
        let places = || Arc::new(Semaphore::new(STRANGERS));
        let (joining, renewing) = (places(), places());
        let desk = Desk { keys, registry, admitter, undecided: Undecided::default(), joining, renewing };
        Self { desk, listeners: BTreeMap::new() }
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
                    self.listeners.insert(*address, tokio::spawn(self.desk.clone().serve(listener)));
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
    undecided: Undecided,
    joining: Arc<Semaphore>,
    renewing: Arc<Semaphore>,
}

impl Desk {
    async fn serve(self, listener: TcpListener) {
        loop {
            let (stream, caller) = accept::next(|| listener.accept()).await;
            let (desk, place) = (self.clone(), self.undecided.enter(caller.ip()));
            tokio::spawn(async move {
                let Ok(wish) = decide(&stream, place).await else { return };
                if let Err(error) = desk.attend(stream, wish).await {
                    tracing::debug!(%caller, %error, "a connection ended");
                }
            });
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
            For::Join => {
                let _place = self.joining.clone().try_acquire_owned().map_err(io::Error::other)?;
                self.join(handshake(stream, &keys.join).await?).await
            }
            For::Renew => {
                let place = self.renewing.clone().try_acquire_owned().map_err(io::Error::other)?;
                let stream = handshake(stream, &keys.renew).await?;
                drop(place);
                self.renew(stream).await
            }
            For::Link => self.link(handshake(stream, &keys.link).await?).await,
        }
    }

    async fn join(self, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
        let request: JoinRequest = tokio::time::timeout(PATIENCE, read_request(&mut stream)).await??;
        let answer = match self.admitter {
            Some(admitter) => admitter.join(request).await,
            None => Answer::Refused(Refusal::NotYet { why: ALONE.to_owned() }),
        };
        tokio::time::timeout(PATIENCE, write(&mut stream, &answer)).await?
    }

    async fn renew(self, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
        let request: RenewRequest = tokio::time::timeout(PATIENCE, read_request(&mut stream)).await??;
        let answer = match (self.admitter, caller(&stream)) {
            (Some(admitter), Some((node, key))) => admitter.renew(node, key, request).await,
            (None, _) => Answer::Refused(Refusal::NotYet { why: ALONE.to_owned() }),
            (_, None) => Answer::Refused(Refusal::UnknownNode),
        };
        tokio::time::timeout(PATIENCE, write(&mut stream, &answer)).await?
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

async fn handshake(stream: TcpStream, config: &Arc<rustls::ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    tokio::time::timeout(PATIENCE, TlsAcceptor::from(config.clone()).accept(stream)).await?
}

/// Name and key of the node at the other end, as its certificate says.
fn caller(stream: &TlsStream<TcpStream>) -> Option<(NodeName, Digest)> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some((node_of(certificate)?, key_of(certificate)?))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        sync::watch,
    };

    use super::{Front, PATIENCE, STRANGERS};
    use crate::link::{
        JOIN, Registry,
        dial::greet,
        hello::tests::hello,
        print_of,
        tests::{authority, controller, member},
        tls::{joining, renewing},
    };

    /// A desk that serves, and the authority that it is of.
    async fn desk() -> (SocketAddr, crate::pki::Authority) {
        let ca = authority();
        let keys = watch::Sender::new(Front::keys(&controller(&ca)).expect("keys"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let place = listener.local_addr().expect("bound");
        tokio::spawn(Front::new(keys.subscribe(), Registry::default(), None).desk.serve(listener));
        (place, ca)
    }

    async fn connect(place: SocketAddr) -> TcpStream {
        TcpStream::connect(place).await.expect("connected")
    }

    async fn is_closed(stream: &mut TcpStream) -> bool {
        stream.read(&mut [0]).await.is_ok_and(|count| count == 0)
    }

    #[tokio::test]
    async fn who_connects_and_is_silent_keeps_nobody_out() {
        let (place, ca) = desk().await;
        let mut silent = Vec::new();
        for _ in 0..200 {
            silent.push(connect(place).await);
        }
        let gone = tokio::time::timeout(PATIENCE / 2, is_closed(&mut silent[0])).await;
        assert!(gone.expect("not only when its time is over"), "its place was needed");
        let client = joining(print_of(&ca.certificate).expect("a print")).expect("a client");
        greet(connect(place).await, client).await.expect("a controller");
    }

    #[tokio::test]
    async fn strangers_that_join_are_few_at_a_time_and_keep_no_member_from_renewing() {
        let (place, ca) = desk().await;
        let (words, mut strangers) = (hello(&[JOIN]), Vec::new());
        for _ in 0..STRANGERS {
            let mut stranger = connect(place).await;
            stranger.write_all(&words).await.expect("said");
            stranger.read_u8().await.expect("an answer");
            strangers.push(stranger);
        }
        let client = || joining(print_of(&ca.certificate).expect("a print")).expect("a client");
        greet(connect(place).await, client()).await.expect_err("there are enough");
        let client_of_member = renewing(&member(&ca, crate::sys::clock::now())).expect("a client");
        greet(connect(place).await, client_of_member).await.expect("a controller");
        strangers.pop();
        while greet(connect(place).await, client()).await.is_err() {}
    }
}
