//! Looks how far a component has come.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::{
    api::Client,
    component::{Probe, Stage},
    pki::LOCAL_SERVER,
    sys::machine,
};

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How far it has come.
    pub stage: Stage,
    /// What it waits for, in plain words; empty when ready.
    pub why: String,
}

impl Found {
    const fn ready() -> Self {
        Self { stage: Stage::Ready, why: String::new() }
    }

    fn not_yet(stage: Stage, why: impl Into<String>) -> Self {
        Self { stage, why: why.into() }
    }
}

/// Looks; blocks for as long as a request may take.
#[must_use]
pub fn look(probe: &Probe, client: &Client, node: &str) -> Found {
    match probe {
        Probe::Grpc(path) => match greet(path) {
            Ok(()) => Found::ready(),
            Err(error) => Found::not_yet(Stage::Started, format!("socket: {error}")),
        },
        Probe::Api => api(client),
        Probe::Tls(port) => health(client, &format!("https://127.0.0.1:{port}/healthz")),
        Probe::Plain(port) => health(client, &format!("http://127.0.0.1:{port}/healthz")),
        Probe::Etcd(port) => health(client, &format!("http://127.0.0.1:{port}/readyz")),
        Probe::Node(port) => {
            let own = health(client, &format!("http://127.0.0.1:{port}/healthz"));
            if own.stage == Stage::Ready { node_ready(client, node) } else { own }
        }
    }
}

/// How long a server may take to greet.
const GREETING: Duration = Duration::from_secs(10);

/// The kernel takes connections for a server that does not run any more: one that does answers a greeting.
fn greet(path: &Path) -> io::Result<()> {
    let socket = UnixStream::connect(path)?;
    socket.set_read_timeout(Some(GREETING))?;
    socket.set_write_timeout(Some(GREETING))?;
    hello(&socket)
}

/// Begins HTTP/2 as a client does (RFC 9113, 3.4): its preface and an empty SETTINGS frame, which the server answers with its
/// own.
fn hello(mut socket: impl Read + Write) -> io::Result<()> {
    const SETTINGS: u8 = 4;
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
    socket.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])?;
    let mut head = [0; 9];
    socket.read_exact(&mut head)?;
    if head[3] == SETTINGS { Ok(()) } else { Err(io::Error::other("it does not speak HTTP/2")) }
}

fn health(client: &Client, url: &str) -> Found {
    match client.fetch(url) {
        Ok((200, _)) => Found::ready(),
        Ok((status, _)) => Found::not_yet(Stage::Listening, format!("health check answers {status}")),
        Err(_) => Found::not_yet(Stage::Started, "no answer yet"),
    }
}

fn api(client: &Client) -> Found {
    match client.fetch(&format!("{LOCAL_SERVER}/readyz")) {
        Ok((200, _)) => Found::ready(),
        Ok((_, text)) => {
            let open =
                |line: &str| line.strip_prefix("[-]").map(|rest| rest.split(' ').next().unwrap_or(rest).to_owned());
            let open: Vec<String> = text.lines().filter_map(open).collect();
            Found::not_yet(Stage::Listening, open.join(" "))
        }
        Err(_) => Found::not_yet(Stage::Started, "no answer yet"),
    }
}

/// A node object outlives a boot: only one that tells of this boot counts.
fn node_ready(client: &Client, node: &str) -> Found {
    match client.get(&format!("/api/v1/nodes/{node}")) {
        Ok(Some(object)) => judge(&object, &machine::boot_id()),
        Ok(None) => Found::not_yet(Stage::Listening, "node is not registered"),
        Err(error) => Found::not_yet(Stage::Listening, error.to_string()),
    }
}

fn judge(object: &serde_json::Value, boot: &str) -> Found {
    if object["status"]["nodeInfo"]["bootID"].as_str() != Some(boot) {
        return Found::not_yet(Stage::Listening, "node has not reported since this boot");
    }
    let conditions = object["status"]["conditions"].as_array();
    let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
    match ready {
        Some(condition) if condition["status"] == "True" => Found::ready(),
        Some(condition) => {
            Found::not_yet(Stage::Listening, condition["message"].as_str().unwrap_or("node is not ready"))
        }
        None => Found::not_yet(Stage::Listening, "node has no ready condition"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use serde_json::json;

    use super::{Found, greet, hello, judge};

    #[test]
    fn a_node_that_was_ready_before_this_boot_is_not_ready() {
        let node = json!({"status": {
            "nodeInfo": {"bootID": "old"}, "conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!(judge(&node, "old"), Found::ready());
        assert_eq!(judge(&node, "new").why, "node has not reported since this boot");
    }

    #[test]
    fn what_the_kubelet_waits_for_is_said() {
        let node = json!({"status": {"nodeInfo": {"bootID": "b"},
            "conditions": [{"type": "Ready", "status": "False", "message": "cni plugin not initialized"}]}});
        assert_eq!(judge(&node, "b").why, "cni plugin not initialized");
    }

    #[test]
    fn what_is_no_server_of_its_kind_is_not_ready() {
        struct Peer(&'static [u8], Vec<u8>);
        impl std::io::Read for Peer {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(into)
            }
        }
        impl std::io::Write for Peer {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.1.write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let says = |bytes| hello(Peer(bytes, Vec::new()));
        assert!(says(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5]).is_ok());
        assert!(says(b"HTTP/1.1 400 Bad Request").is_err());
        assert!(says(b"").is_err());
    }

    #[test]
    fn a_server_that_ended_its_life_without_closing_is_not_ready() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).expect("a socket");
        let closing = std::thread::spawn(move || drop(listener.accept()));
        assert!(greet(&path).is_err());
        closing.join().expect("ended");
    }
}
