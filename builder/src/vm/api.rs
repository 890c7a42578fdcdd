//! The node's Kubernetes API, asked through the Kubernetes client.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::tool::{Tool, ToolError};

/// The Kubernetes client: a program and the arguments that make it `kubectl`.
#[derive(Clone, Debug)]
pub struct Kubectl {
    program: PathBuf,
    arguments: Vec<String>,
}

/// What the API says about the machine's node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// The API does not answer yet; the client's last line.
    Silent(String),
    /// It answers and the node is not Ready; why, in Kubernetes' words.
    Waiting(String),
    /// The node of this name is Ready.
    Ready(String),
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    message: String,
}

impl Kubectl {
    /// kubectl, which is a part of a program from the component store.
    #[must_use]
    pub fn multicall(program: PathBuf) -> Self {
        Self { program, arguments: vec!["kubectl".to_owned()] }
    }

    /// The command line that works for a person.
    #[must_use]
    pub fn command_line(&self, kubeconfig: &Path) -> String {
        let mut words = vec![self.program.display().to_string()];
        words.extend(self.arguments.iter().cloned());
        words.extend(["--kubeconfig".to_owned(), kubeconfig.display().to_string()]);
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// Asks for the node.
    ///
    /// # Errors
    /// If the client cannot be run at all; a failed request is [`Node::Silent`].
    pub fn node(&self, kubeconfig: &Path) -> Result<Node, ToolError> {
        let tool = Tool::new(&self.program)
            .args(&self.arguments)
            .args(["--request-timeout=10s", "--kubeconfig"])
            .args([kubeconfig])
            .args(["get", "nodes", "--output=json"]);
        match tool.output() {
            Ok(json) => Ok(parse(&json)),
            Err(ToolError::Failed { tail, .. }) => Ok(Node::Silent(tail.lines().last().unwrap_or_default().to_owned())),
            Err(other) => Err(other),
        }
    }
}

/// Reads a list of nodes; a machine is the only node of its cluster.
fn parse(json: &[u8]) -> Node {
    let list: List = match serde_json::from_slice(json) {
        Ok(list) => list,
        Err(error) => return Node::Silent(format!("the API's answer is no list of nodes: {error}")),
    };
    let Some(node) = list.items.into_iter().next() else {
        return Node::Waiting("no node has registered yet".to_owned());
    };
    match node.status.conditions.into_iter().find(|condition| condition.kind == "Ready") {
        Some(ready) if ready.status == "True" => Node::Ready(node.metadata.name),
        Some(waiting) => Node::Waiting(waiting.message),
        None => Node::Waiting("the node has not reported yet".to_owned()),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_read_from_the_condition() {
        let with = |status: &str| {
            format!(
                r#"{{"items":[{{"metadata":{{"name":"skerry"}},"status":{{"conditions":[
                {{"type":"DiskPressure","status":"False"}},
                {{"type":"Ready","status":"{status}","message":"cni is not ready"}}]}}}}]}}"#
            )
        };
        assert_eq!(parse(with("True").as_bytes()), Node::Ready("skerry".into()));
        assert_eq!(parse(with("False").as_bytes()), Node::Waiting("cni is not ready".into()));
        assert_eq!(parse(br#"{"items":[]}"#), Node::Waiting("no node has registered yet".into()));
        assert!(matches!(parse(b"<html>"), Node::Silent(_)));
    }

    #[test]
    fn printed_command_survives_a_shell() {
        let kubectl = Kubectl::multicall("/a store/clients".into());
        assert_eq!(
            kubectl.command_line(Path::new("/out/it's")),
            r"'/a store/clients' kubectl --kubeconfig '/out/it'\''s'"
        );
    }
}
