//! Looks how far a component has come.

use std::os::unix::net::UnixStream;

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
        Probe::Socket(path) => match UnixStream::connect(path) {
            Ok(_) => Found::ready(),
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

fn health(client: &Client, url: &str) -> Found {
    match client.fetch(url) {
        Ok((200, _)) => Found::ready(),
        Ok((status, _)) => Found::not_yet(Stage::Started, format!("health check answers {status}")),
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
    use serde_json::json;

    use super::{Found, judge};

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
}
