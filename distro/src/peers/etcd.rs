//! The membership part of etcd's client API, in its JSON form (etcd's gRPC gateway, `/v3/cluster/member/…`).

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned},
};
use ureq::{
    Agent,
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

use crate::pki::Leaf;

/// A request that got no good answer.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    /// The client's own keys are unreadable.
    #[error("could not read etcd's keys")]
    Keys(#[source] ureq::Error),
    /// No answer.
    #[error("could not reach etcd")]
    Unreachable(#[source] ureq::Error),
    /// It said no.
    #[error("etcd refused: {0}")]
    Refused(String),
    /// The answer is not what was expected.
    #[error("unexpected answer of etcd")]
    Answer(#[source] serde_json::Error),
}

/// A member's number, which it keeps for life; 64 bits, in JSON a text of decimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberId(pub u64);

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl Serialize for MemberId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for MemberId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(de::Error::custom)
    }
}

/// A member of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its number.
    #[serde(rename = "ID")]
    pub id: MemberId,
    /// Its node's name; empty until it has started for the first time.
    #[serde(default)]
    pub name: String,
    /// Where the others reach it.
    #[serde(default, rename = "peerURLs")]
    pub urls: Vec<String>,
    /// Whether it has no vote yet.
    #[serde(default, rename = "isLearner")]
    pub learner: bool,
}

impl Member {
    /// Whether it has ever run.
    #[must_use]
    pub const fn started(&self) -> bool {
        !self.name.is_empty()
    }
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct Leader {
    #[serde(default)]
    leader: MemberId,
}

/// A client of one member.
#[derive(Clone, Debug)]
pub struct Etcd {
    agent: Agent,
    url: &'static str,
}

impl Etcd {
    /// A client of the member at `url`, which trusts one authority.
    ///
    /// # Errors
    /// If the keys are no PEM.
    pub fn new(url: &'static str, authority: &str, leaf: &Leaf) -> Result<Self, EtcdError> {
        let root = Certificate::from_pem(authority.as_bytes()).map_err(EtcdError::Keys)?;
        let chain = [Certificate::from_pem(leaf.certificate.as_bytes()).map_err(EtcdError::Keys)?];
        let key = PrivateKey::from_pem(leaf.key.as_bytes()).map_err(EtcdError::Keys)?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[root]))
            .client_cert(Some(ClientCert::new_with_certs(&chain, key)))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(10)))
            .max_idle_connections(1)
            .build();
        Ok(Self { agent: config.new_agent(), url })
    }

    /// All members, as a majority knows them.
    ///
    /// # Errors
    /// If there is no majority, or no answer.
    pub fn members(&self) -> Result<Vec<Member>, EtcdError> {
        self.ask("list", &serde_json::json!({ "linearizable": true }))
    }

    /// Takes in a member without a vote; returns all members then.
    ///
    /// # Errors
    /// If etcd cannot be reached or refuses.
    pub fn add_learner(&self, url: &str) -> Result<Vec<Member>, EtcdError> {
        self.ask("add", &serde_json::json!({ "peerURLs": [url], "isLearner": true }))
    }

    /// Gives a learner its vote.
    ///
    /// # Errors
    /// If etcd cannot be reached or refuses, as it does while the learner has not caught up.
    pub fn promote(&self, id: MemberId) -> Result<Vec<Member>, EtcdError> {
        self.ask("promote", &serde_json::json!({ "ID": id }))
    }

    /// Takes a member out.
    ///
    /// # Errors
    /// If etcd cannot be reached or refuses.
    pub fn remove(&self, id: MemberId) -> Result<Vec<Member>, EtcdError> {
        self.ask("remove", &serde_json::json!({ "ID": id }))
    }

    /// Tells where a member is reached now.
    ///
    /// # Errors
    /// If etcd cannot be reached or refuses.
    pub fn update(&self, id: MemberId, url: &str) -> Result<Vec<Member>, EtcdError> {
        self.ask("update", &serde_json::json!({ "ID": id, "peerURLs": [url] }))
    }

    /// The member that leads now, as this one knows it; 0 if there is none.
    ///
    /// # Errors
    /// If etcd cannot be reached.
    pub fn leader(&self) -> Result<MemberId, EtcdError> {
        self.post::<Leader>("maintenance/status", &serde_json::json!({})).map(|answer| answer.leader)
    }

    /// Lets another member with a vote lead. Only the member that leads can.
    ///
    /// # Errors
    /// If this member does not lead, the other one does not take the lead, or etcd cannot be reached.
    pub fn hand_over(&self, to: MemberId) -> Result<(), EtcdError> {
        let request = serde_json::json!({ "targetID": to });
        self.post::<serde::de::IgnoredAny>("maintenance/transfer-leadership", &request).map(drop)
    }

    fn ask(&self, verb: &str, request: &serde_json::Value) -> Result<Vec<Member>, EtcdError> {
        self.post::<Members>(&format!("cluster/member/{verb}"), request).map(|answer| answer.members)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, request: &serde_json::Value) -> Result<T, EtcdError> {
        let post = self.agent.post(format!("{}/v3/{path}", self.url)).content_type("application/json");
        let mut response = post.send(request.to_string()).map_err(EtcdError::Unreachable)?;
        let text = response.body_mut().read_to_string().map_err(EtcdError::Unreachable)?;
        if response.status() != 200 {
            return Err(EtcdError::Refused(words(&text)));
        }
        serde_json::from_str(&text).map_err(EtcdError::Answer)
    }
}

/// The words of an error of the gateway: `{"code":…,"message":"…"}`.
fn words(text: &str) -> String {
    let object: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = object.as_ref().and_then(|object| object["message"].as_str()).unwrap_or(text);
    message.trim_start_matches("etcdserver: ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::{Member, MemberId, Members, words};

    #[test]
    fn members_are_read_as_the_gateway_writes_them() {
        let text = r#"{"header":{"revision":"7"},"members":[
            {"ID":"10501334649042878790","name":"barn","peerURLs":["https://192.0.2.1:2380"],"clientURLs":["x"]},
            {"ID":"7","peerURLs":["https://192.0.2.2:2380"],"isLearner":true}]}"#;
        let members: Members = serde_json::from_str(text).expect("JSON");
        let member = |id, name: &str, url: &str, learner| Member {
            id: MemberId(id),
            name: name.to_owned(),
            urls: vec![url.to_owned()],
            learner,
        };
        let wanted = [
            member(10_501_334_649_042_878_790, "barn", "https://192.0.2.1:2380", false),
            member(7, "", "https://192.0.2.2:2380", true),
        ];
        assert_eq!(members.members, wanted);
    }

    #[test]
    fn an_error_is_told_in_etcds_words() {
        assert_eq!(words(r#"{"code":9,"message":"etcdserver: too many learner members"}"#), "too many learner members");
        assert_eq!(words("<html>"), "<html>");
    }
}
