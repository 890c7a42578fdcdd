//! Takes the calls of kube-apiserver and metrics-server (`CONNECT`, RFC 9110 section 9.3.6, over a Unix socket) and brings them where
//! they go.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::watch,
};

use super::{
    accept,
    call::{Call, KUBELET, Own},
    registry::Registry,
    route::METRICS_SERVER,
    splice::splice,
    way::{Way, connect},
};
use crate::{
    config::NodeName,
    duty::Duty,
    sys::{
        accounts::Account,
        fs::{self, FsError},
    },
};

/// A socket that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The socket.
    #[error("could not listen at `{}`", .path.display())]
    Listen {
        /// Where.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
}

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);

/// What calls are brought with.
#[derive(Clone, Debug)]
pub struct Ways {
    /// What this node does.
    pub duty: Duty,
    /// What it knows of itself.
    pub own: watch::Receiver<Own>,
    /// Who is linked.
    pub registry: Registry,
}

/// How far callers are brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To all that a route leads to.
    All,
    /// To kubelets alone.
    Kubelets,
}

impl Reach {
    /// Whether a call goes no further than callers may: a pod or a service may listen at a kubelet's port too.
    fn takes(self, call: &Call, own: &Own) -> bool {
        match self {
            Self::All => true,
            Self::Kubelets => call.port == KUBELET && !call.host.parse().is_ok_and(|ip| own.serves(ip)),
        }
    }
}

/// Serves for as long as the process lives; `owner` alone may call.
///
/// # Errors
/// If the socket cannot be made.
pub async fn serve(path: &Path, owner: Account, reach: Reach, ways: Ways) -> Result<(), EgressError> {
    let failed = |source| EgressError::Listen { path: path.to_owned(), source };
    fs::remove_file(path)?;
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::give(path, owner)?;
    loop {
        let (caller, _) = accept::next(|| listener.accept()).await;
        let ways = ways.clone();
        tokio::spawn(async move {
            if let Err(error) = bring(caller, reach, &ways).await {
                tracing::debug!(%error, "a call ended");
            }
        });
    }
}

async fn bring(mut caller: UnixStream, reach: Reach, ways: &Ways) -> io::Result<()> {
    let call = tokio::time::timeout(PATIENCE, request(&mut caller)).await??;
    let found = if reach.takes(&call, &ways.own.borrow()) {
        let found = tokio::time::timeout(PATIENCE, connect(&call, ways)).await;
        found.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    } else {
        Err("only kubelets can be called here".to_owned())
    };
    match found {
        Ok(Way::Direct(stream)) => {
            caller.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await?;
            splice(caller, stream).await
        }
        Ok(Way::Over(stream)) => {
            caller.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await?;
            splice(caller, stream).await
        }
        Err(why) => {
            let Call { host, port } = &call;
            tracing::info!(%host, port, %why, "not connected");
            let head = format!("HTTP/1.1 502 {why}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            caller.write_all(head.as_bytes()).await
        }
    }
}

/// Reads a request up to its empty line.
async fn request(caller: &mut UnixStream) -> io::Result<Call> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes.len() > 8192 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request without an end"));
        }
        // What follows the empty line is not ours: nothing may be read ahead.
        bytes.push(caller.read_u8().await?);
    }
    parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no CONNECT request"))
}

fn parse(bytes: &[u8]) -> Option<Call> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(bytes).ok()?;
    let target = request.path.filter(|_| request.method == Some("CONNECT"))?;
    let (host, port) = target.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let known = host.parse::<IpAddr>().is_ok() || host.parse::<NodeName>().is_ok() || host == METRICS_SERVER;
    known.then_some(Call { host: host.to_owned(), port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Call, Reach, parse};
    use crate::link::call::tests::own_of;

    #[test]
    fn a_connect_request_names_host_and_port() {
        let call = |host: &str, port| Some(Call { host: host.to_owned(), port });
        assert_eq!(parse(b"CONNECT barn:10250 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), call("barn", 10250));
        assert_eq!(parse(b"CONNECT [2001:db8::1]:80 HTTP/1.1\r\n\r\n"), call("2001:db8::1", 80));
        let beside = call("metrics-server.sk8s.internal", 10262);
        assert_eq!(parse(b"CONNECT metrics-server.sk8s.internal:10262 HTTP/1.1\r\n\r\n"), beside);
        assert_eq!(parse(b"CONNECT other.sk8s.internal:10262 HTTP/1.1\r\n\r\n"), None);
        assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n"), None);
        assert_eq!(parse(b"CONNECT barn:x HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn who_may_call_kubelets_may_call_nothing_else() {
        let own = own_of("barn", 7);
        let takes = |reach: Reach, host: &str, port| reach.takes(&Call { host: host.to_owned(), port }, &own);
        for (host, port) in [("barn", 10250), ("192.0.2.7", 10250)] {
            assert!(takes(Reach::Kubelets, host, port), "{host}:{port}");
        }
        let others =
            [("barn", 9443), ("10.244.1.2", 10250), ("10.96.0.10", 10250), ("metrics-server.sk8s.internal", 10262)];
        for (host, port) in others {
            assert!(!takes(Reach::Kubelets, host, port) && takes(Reach::All, host, port), "{host}:{port}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_call_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
