//! How a cluster is: its hosts as their owner named them, beside the nodes that the API knows. Pure.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use skerry_formats::{
    cluster::{Cluster, Host},
    name::Name,
    seed::HostName,
};

/// A cluster as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its name.
    pub cluster: Name,
    /// Where its API answered.
    pub server: String,
    /// The API server's version.
    pub version: String,
    /// Named hosts first, in their order, then nodes that nobody named.
    pub hosts: Vec<HostStatus>,
}

/// A host, or a node that nobody named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostStatus {
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: String,
    /// How it is.
    pub state: State,
    /// The kubelet's version; empty without a node.
    pub version: String,
    /// The node's addresses.
    pub addresses: Vec<String>,
    /// What a node that is not ready waits for.
    pub waiting: String,
}

/// How a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its node is ready.
    Ready,
    /// Its node is not ready, or has not been heard of for a while.
    NotReady,
    /// It has no node yet.
    NotJoined,
    /// It answers, and runs no pods: no node is wanted.
    Answers,
    /// It runs no pods, and does not answer.
    Silent,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not ready",
            Self::NotJoined => "not joined",
            Self::Answers => "answers",
            Self::Silent => "does not answer",
        }
    }
}

/// What the API said.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// Where it was called, a URL.
    pub server: &'a str,
    /// To `/version`.
    pub version: &'a Value,
    /// To `/api/v1/nodes`.
    pub nodes: &'a Value,
    /// The controllers without pods that answer as this cluster's.
    pub controllers: &'a [HostName],
}

/// Puts the file of hosts, where there is one, beside what the API said.
#[must_use]
pub fn status(name: &Name, cluster: Option<&Cluster>, answers: Answers<'_>) -> Status {
    let nodes: Vec<&Value> = answers.nodes["items"].as_array().into_iter().flatten().collect();
    let named = cluster.map(|cluster| cluster.spec.hosts.as_slice()).unwrap_or_default();
    let mut hosts: Vec<HostStatus> = Vec::new();
    for host in named {
        let node = nodes.iter().find(|node| name_of(node) == host.name.as_str());
        hosts.push(node.map_or_else(
            || without_node(host, answers.controllers),
            |node| HostStatus { role: host.role.to_string(), ..of_node(node) },
        ));
    }
    let strangers = nodes.iter().filter(|node| !named.iter().any(|host| host.name.as_str() == name_of(node)));
    hosts.extend(strangers.map(|node| of_node(node)));
    let version = text(&answers.version["gitVersion"]);
    Status { cluster: name.clone(), server: answers.server.to_owned(), version, hosts }
}

fn name_of(node: &Value) -> &str {
    node["metadata"]["name"].as_str().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn without_node(host: &Host, controllers: &[HostName]) -> HostStatus {
    let state = match host.role.works() {
        true => State::NotJoined,
        false if controllers.contains(&host.name) => State::Answers,
        false => State::Silent,
    };
    HostStatus {
        name: host.name.to_string(),
        role: host.role.to_string(),
        state,
        version: String::new(),
        addresses: host.servers().iter().map(ToString::to_string).collect(),
        waiting: String::new(),
    }
}

fn of_node(node: &Value) -> HostStatus {
    let control = !node["metadata"]["labels"]["node-role.kubernetes.io/control-plane"].is_null();
    let conditions = node["status"]["conditions"].as_array();
    let ready = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"));
    let is_ready = ready.is_some_and(|condition| condition["status"] == "True");
    let waiting = match ready {
        Some(_) if is_ready => String::new(),
        Some(condition) => text(&condition["message"]),
        None => "the node has not reported yet".to_owned(),
    };
    let addresses = node["status"]["addresses"].as_array().into_iter().flatten();
    let addresses = addresses.filter(|address| address["type"] != "Hostname").map(|address| text(&address["address"]));
    HostStatus {
        name: name_of(node).to_owned(),
        role: if control { "controller+worker" } else { "worker" }.to_owned(),
        state: if is_ready { State::Ready } else { State::NotReady },
        version: text(&node["status"]["nodeInfo"]["kubeletVersion"]),
        addresses: addresses.collect(),
        waiting,
    }
}

impl Status {
    /// For people: a line about the cluster, then a line a host.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!("{}: {} at {}\n", self.cluster, self.version, self.server);
        let head = ["NAME", "ROLE", "STATE", "VERSION", "ADDRESSES"].map(str::to_owned);
        let row = |host: &HostStatus| {
            let of = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
            let addresses = of(&host.addresses.join(","));
            [host.name.clone(), host.role.clone(), host.state.as_str().to_owned(), of(&host.version), addresses]
        };
        let rows: Vec<[String; 5]> = std::iter::once(head).chain(self.hosts.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..4).map(width).collect();
        for (number, row) in rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                let _infallible = write!(text, "{cell:<width$}  ");
            }
            text.push_str(&row[4]);
            text.push('\n');
            let waiting = number.checked_sub(1).map(|index| self.hosts[index].waiting.as_str()).unwrap_or_default();
            if !waiting.is_empty() {
                let _infallible = writeln!(text, "  waits: {waiting}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use skerry_formats::{cluster, seed::Source};

    use super::{Answers, State, status};

    const HOSTS: &str = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  storage: {type: etcd}\n  hosts:\n  - {name: tower, role: controller, \
                         addresses: [10.0.0.1]}\n  - {name: keep, role: controller, addresses: [10.0.0.2]}\n  - {name: barn, role: worker}\n  - {name: mill, role: worker}\n";

    fn node(name: &str, ready: &str) -> serde_json::Value {
        json!({
            "metadata": {"name": name},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}, {"type": "Hostname", "address": name}],
                "conditions": [
                    {"type": "DiskPressure", "status": "False"},
                    {"type": "Ready", "status": ready, "message": "cni plugin not initialized"}],
                "nodeInfo": {"kubeletVersion": "v1.36.3"}
            }
        })
    }

    #[test]
    fn hosts_and_strangers_are_told_with_their_state() {
        let hosts = cluster::read(&Source::new("hosts.yaml"), HOSTS.as_bytes()).unwrap();
        let (version, nodes) =
            (json!({"gitVersion": "v1.36.3"}), json!({"items": [node("shed", "Unknown"), node("barn", "True")]}));
        let controllers = ["tower".parse().unwrap()];
        let server = "https://10.0.0.1:6443";
        let answers = Answers { server, version: &version, nodes: &nodes, controllers: &controllers };
        let found = status(&"home".parse().unwrap(), Some(&hosts), answers);
        let states: Vec<_> = found.hosts.iter().map(|host| (host.name.as_str(), host.state)).collect();
        let wanted = [
            ("tower", State::Answers),
            ("keep", State::Silent),
            ("barn", State::Ready),
            ("mill", State::NotJoined),
            ("shed", State::NotReady),
        ];
        assert_eq!(states, wanted);
        assert_eq!(
            found.table(),
            "home: v1.36.3 at https://10.0.0.1:6443\n\
             NAME   ROLE        STATE            VERSION  ADDRESSES\n\
             tower  controller  answers          -        10.0.0.1\n\
             keep   controller  does not answer  -        10.0.0.2\n\
             barn   worker      ready            v1.36.3  10.0.0.7\n\
             mill   worker      not joined       -        -\n\
             shed   worker      not ready        v1.36.3  10.0.0.7\n  waits: cni plugin not initialized\n"
        );
    }

    #[test]
    fn an_empty_cluster_without_named_hosts_has_no_rows() {
        let nothing = json!(null);
        let answers = Answers { server: "https://a", version: &nothing, nodes: &nothing, controllers: &[] };
        assert!(status(&"home".parse().unwrap(), None, answers).hosts.is_empty());
    }
}
