//! A worker's end of the link: one connection to every controller, for as long as the node lives.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::ClientConfig;
use skerry_formats::token::Server;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    call::{Call, Connected, Hello, Own},
    foreign,
    mux::{self, End, Stream},
    splice::splice,
    tls::{self, Credentials, TlsError},
};
use crate::{
    join::{read, write},
    sys::{clock::Stopwatch, net},
};

/// How long a controller may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause after the first failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));
/// How long a link must last to count as a good one. Two machines of one name end each other's, for as long as both are on.
const STEADY: Duration = Duration::from_secs(10);

/// How long a link must last to be one. A controller that does not want this node's certificate can say so only after the
/// node is done with the handshake (RFC 8446, section 2), and ends the link then.
const STANDS: Duration = Duration::from_secs(2);

/// What every link needs, each as it is now.
#[derive(Clone, Debug)]
pub struct Needs {
    /// The node's certificate.
    pub credentials: watch::Receiver<Credentials>,
    /// What the node knows of itself.
    pub own: watch::Receiver<Own>,
}

/// Which controllers are linked now, for the status.
#[derive(Clone, Debug, Default)]
pub struct Servers(Arc<Mutex<BTreeMap<Server, Result<(), String>>>>);

impl Servers {
    fn set(&self, server: &Server, state: Result<(), String>) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(server.clone(), state.clone()).as_ref() != Some(&state)
    }

    fn retain(&self, wanted: &[Server]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|server, _| wanted.contains(server));
    }

    /// Why there is no link at all; `None` if there is one.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.values().any(Result::is_ok) {
            return None;
        }
        let each = all.iter().filter_map(|(server, state)| Some(format!("{server}: {}", state.as_ref().err()?)));
        Some(each.collect::<Vec<_>>().join("; "))
    }
}

/// Keeps a link to each controller that there is, for as long as the process lives.
pub async fn keep(mut servers: watch::Receiver<Vec<Server>>, needs: Needs, states: Servers) {
    let mut links: BTreeMap<Server, JoinHandle<()>> = BTreeMap::new();
    loop {
        let wanted = servers.borrow_and_update().clone();
        links.retain(|server, task| {
            let keep = wanted.contains(server);
            if !keep {
                task.abort();
            }
            keep
        });
        states.retain(&wanted);
        for server in wanted {
            let (needs, states) = (needs.clone(), states.clone());
            links.entry(server.clone()).or_insert_with(|| tokio::spawn(link(server, needs, states)));
        }
        if servers.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

async fn link(server: Server, needs: Needs, states: Servers) {
    let mut last = None;
    loop {
        let mut lasted = Duration::ZERO;
        let why = match connect(&server, &needs).await {
            Ok(stream) => {
                let (clock, mut attended) = (Stopwatch::start(), std::pin::pin!(attend(stream, &needs)));
                let why = if let Ok(why) = tokio::time::timeout(STANDS, &mut attended).await {
                    why
                } else {
                    if states.set(&server, Ok(())) {
                        tracing::info!(%server, "linked");
                    }
                    attended.await
                };
                lasted = clock.elapsed();
                why
            }
            Err(error) => error.to_string(),
        };
        if states.set(&server, Err(why.clone())) {
            tracing::warn!(%server, %why, "no link");
        }
        let next = pause(last, lasted);
        tokio::time::sleep(next).await;
        last = Some(next);
    }
}

/// How long to wait after a link that lasted so long, zero if there was none: longer each time, until there is a good one.
fn pause(last: Option<Duration>, lasted: Duration) -> Duration {
    match last {
        Some(last) if lasted < STEADY => (last * 2).min(PAUSES.1),
        _ => PAUSES.0,
    }
}

/// A link that could not be made.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("{}", foreign::told(.0))]
    Network(#[from] io::Error),
    #[error("no answer in time")]
    Late(#[from] tokio::time::error::Elapsed),
    #[error(transparent)]
    Keys(#[from] TlsError),
}

async fn connect(server: &Server, needs: &Needs) -> Result<TlsStream<TcpStream>, LinkError> {
    let config = tls::linking(&needs.credentials.borrow().clone())?;
    Ok(tokio::time::timeout(PATIENCE, call(server, config)).await??)
}

/// A connection to a controller.
///
/// # Errors
/// If there is none, or it is not the cluster's.
pub async fn call(server: &Server, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.host_and_port()).await?;
    net::keep_alive(&stream)?;
    secure(stream, config).await
}

async fn secure(stream: TcpStream, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let name = tls::controller_name().ok_or(io::ErrorKind::InvalidInput)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Lets whoever is at the other end of a connection prove that it is a controller of the cluster, and asks for nothing.
///
/// # Errors
/// If it is not, or says nothing that TLS understands.
pub async fn greet(stream: TcpStream, config: Arc<ClientConfig>) -> io::Result<()> {
    let mut stream = secure(stream, config).await?;
    // It proved itself: whether it hears the goodbye is nothing to us.
    let _gone = stream.shutdown().await;
    Ok(())
}

/// Serves a link until it ends, and says why.
async fn attend(stream: TlsStream<TcpStream>, needs: &Needs) -> String {
    let (give, mut take) = mpsc::channel(64);
    let (opener, driver) = mux::run(stream, End::Dialled, give);
    let mut driver = tokio::spawn(driver);
    let hello = Hello { addresses: needs.own.borrow().addresses.clone() };
    let greeted = async {
        let mut stream = opener.open().await.map_err(io::Error::other)?;
        write(&mut stream, &hello).await?;
        stream.shutdown().await
    };
    if let Err(error) = greeted.await {
        driver.abort();
        return error.to_string();
    }
    let mut own = needs.own.clone();
    loop {
        tokio::select! {
            Some(stream) = take.recv() => {
                let known = needs.own.borrow().clone();
                tokio::spawn(answer(stream, known));
            }
            ended = &mut driver => return ended.map_or_else(|error| error.to_string(), |error| error.to_string()),
            // With new addresses the node introduces itself anew.
            Ok(()) = own.changed() => if own.borrow().addresses != hello.addresses {
                driver.abort();
                return "this node's addresses changed".to_owned();
            }
        }
    }
}

async fn answer(mut stream: Stream, own: Own) {
    let Ok(Ok(call)) = tokio::time::timeout(PATIENCE, read::<Call>(&mut stream)).await else { return };
    let connected = async {
        let address = own.address(&call).map_err(|error| error.to_string())?;
        let dialled = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
        let dialled = dialled.map_err(|_| format!("{address}: no answer in time"))?;
        dialled.map_err(|error| format!("{address}: {error}"))
    };
    let done = match connected.await {
        Ok(target) => {
            let _ = target.set_nodelay(true);
            match write(&mut stream, &Connected { error: None }).await {
                Ok(()) => splice(stream, target).await,
                Err(error) => Err(error),
            }
        }
        Err(why) => write(&mut stream, &Connected { error: Some(why) }).await,
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a stream of the link ended");
    }
}

#[cfg(test)]
mod tests {
    use std::{iter::successors, time::Duration};

    use super::{PAUSES, STEADY, pause};

    #[test]
    fn a_link_that_is_taken_away_again_and_again_is_made_ever_more_rarely() {
        let brief = STEADY - Duration::from_millis(1);
        let pauses = successors(Some(pause(None, brief)), |last| Some(pause(Some(*last), brief)));
        let pauses: Vec<u128> = pauses.take(8).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert_eq!(pause(Some(PAUSES.1), STEADY), PAUSES.0, "a good one that ended is made again at once");
    }
}
