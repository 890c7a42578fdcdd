//! What the cluster remembers of tokens and nodes: Secrets of `kube-system`.
//!
//! A token is one of Kubernetes' own kind (`bootstrap.kubernetes.io/token`), so that its token cleaner ends it and every tool
//! shows it; but with a usage of ours alone, so that it opens nothing in the API itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use skerry_formats::{
    digest::Digest,
    moment::Moment,
    role::Role,
    token::{PreShared, TokenId, TokenSecret, usage},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{config::NodeName, pki::UnixTime};

/// Where they are.
pub const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";

/// A token as the cluster knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its public half.
    pub id: TokenId,
    /// Its secret half.
    pub secret: TokenSecret,
    /// What it admits.
    pub role: Role,
    /// When it ends; `None` is never.
    pub expires: Option<UnixTime>,
    /// For people.
    pub description: String,
}

/// A node as the cluster knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub node: NodeName,
    /// SHA-256 of the public key that it joined with.
    pub key: Digest,
    /// Whether its Node object was there since: then its absence means that somebody deleted it.
    pub registered: bool,
}

/// A Secret that is no record of ours.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{name}`: `{key}` is missing or damaged")]
pub struct BadRecord {
    name: String,
    key: &'static str,
}

impl TokenRecord {
    /// A new token.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(role: Role, expires: Option<UnixTime>) -> Result<Self, BadRecord> {
        let bad = |key| BadRecord { name: "new token".to_owned(), key };
        Ok(Self {
            id: random(6).and_then(|text| text.parse().ok()).ok_or_else(|| bad("token-id"))?,
            secret: random(16).and_then(|text| text.parse().ok()).ok_or_else(|| bad("token-secret"))?,
            role,
            expires,
            description: String::new(),
        })
    }

    /// Path of a token's Secret in the API.
    #[must_use]
    pub fn path(id: &TokenId) -> String {
        format!("{SECRETS}/bootstrap-token-{id}")
    }

    /// The Secret.
    #[must_use]
    pub fn object(&self) -> Value {
        PreShared::from(self.clone()).object()
    }

    /// Reads a Secret back; `None` if it is a token of another kind.
    ///
    /// # Errors
    /// If it is one of ours and damaged.
    pub fn read(object: &Value) -> Result<Option<Self>, BadRecord> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let bad = |key| BadRecord { name: name.to_owned(), key };
        let grants = |role: &Role| field(object, usage(*role)).as_deref() == Some("true");
        let Some(role) = [Role::Worker, Role::Controller].into_iter().find(grants) else { return Ok(None) };
        let expires = match field(object, "expiration") {
            None => None,
            Some(text) => Some(UnixTime::from_rfc3339(&text).ok_or_else(|| bad("expiration"))?),
        };
        Ok(Some(Self {
            id: field(object, "token-id").and_then(|text| text.parse().ok()).ok_or_else(|| bad("token-id"))?,
            secret: field(object, "token-secret")
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| bad("token-secret"))?,
            role,
            expires,
            description: field(object, "description").unwrap_or_default(),
        }))
    }
}

impl From<TokenRecord> for PreShared {
    fn from(record: TokenRecord) -> Self {
        let TokenRecord { id, secret, role, expires, description } = record;
        Self { id, secret, role, expires: expires.map(|time| Moment(time.0)), description }
    }
}

impl From<PreShared> for TokenRecord {
    fn from(token: PreShared) -> Self {
        let PreShared { id, secret, role, expires, description } = token;
        Self { id, secret, role, expires: expires.map(|moment| UnixTime(moment.0)), description }
    }
}

impl NodeRecord {
    /// Path of a node's Secret in the API.
    #[must_use]
    pub fn path(node: &NodeName) -> String {
        format!("{SECRETS}/sk8s-node-{node}")
    }

    /// The Secret.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "sk8s.skerry.dev/node",
            "metadata": { "name": format!("sk8s-node-{}", self.node), "namespace": "kube-system" },
            "stringData": {
                "node": self.node.as_str(),
                "key": self.key.to_string(),
                "registered": self.registered.to_string(),
            },
        })
    }

    /// What makes a record say that the node's object was there (a merge patch).
    #[must_use]
    pub fn registered() -> Value {
        json!({ "data": { "registered": STANDARD.encode("true") } })
    }

    /// Reads a Secret back.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn read(object: &Value) -> Result<Self, BadRecord> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let bad = |key| BadRecord { name: name.to_owned(), key };
        Ok(Self {
            node: field(object, "node").and_then(|text| text.parse().ok()).ok_or_else(|| bad("node"))?,
            key: field(object, "key").and_then(|text| text.parse().ok()).ok_or_else(|| bad("key"))?,
            // Records of older versions do not say.
            registered: field(object, "registered").as_deref() == Some("true"),
        })
    }
}

/// Random characters of `a-z 0-9`, each as likely as any other; `None` if the system has no randomness to give.
fn random(length: usize) -> Option<String> {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let source = rustls::crypto::ring::default_provider().secure_random;
    let mut text = String::new();
    while text.len() < length {
        let mut byte = [0];
        source.fill(&mut byte).ok()?;
        // 252 is the largest multiple of 36 that a byte holds.
        if byte[0] < 252 {
            text.push(char::from(ALPHABET[usize::from(byte[0] % 36)]));
        }
    }
    Some(text)
}

/// A field as the API gives it (`data`, base64) or as it was written (`stringData`).
fn field(object: &Value, key: &str) -> Option<String> {
    if let Some(text) = object["stringData"][key].as_str() {
        return Some(text.to_owned());
    }
    let bytes = STANDARD.decode(object["data"][key].as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

impl UnixTime {
    /// In the form of RFC 3339, as in `2026-09-12T07:55:41Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        Moment(self.0).to_string()
    }

    /// From the form of RFC 3339; `None` before 1970 and for anything else.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(date.unix_timestamp()).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use skerry_formats::{digest::Digest, role::Role};

    use super::{NodeRecord, TokenRecord};
    use crate::pki::UnixTime;

    /// As the API gives back what was written.
    fn stored(object: &Value) -> Value {
        let mut object = object.clone();
        let data = object["stringData"].as_object().expect("fields").clone();
        object["data"] = data
            .iter()
            .map(|(key, value)| (key.clone(), json!(STANDARD.encode(value.as_str().expect("text")))))
            .collect();
        object.as_object_mut().expect("an object").remove("stringData");
        object
    }

    fn token(expires: Option<UnixTime>) -> TokenRecord {
        TokenRecord {
            id: "abc123".parse().expect("valid"),
            secret: "0123456789abcdef".parse().expect("valid"),
            role: Role::Worker,
            expires,
            description: "for the barn".to_owned(),
        }
    }

    #[test]
    fn records_survive_the_api() {
        for record in [token(None), token(Some(UnixTime(1_800_000_000)))] {
            assert_eq!(TokenRecord::read(&stored(&record.object())), Ok(Some(record)));
        }
        let node = NodeRecord { node: "barn".parse().expect("valid"), key: Digest::of(b"key"), registered: false };
        let mut object = stored(&node.object());
        assert_eq!(NodeRecord::read(&object), Ok(node.clone()));
        object["data"]["registered"] = NodeRecord::registered()["data"]["registered"].clone();
        assert_eq!(NodeRecord::read(&object), Ok(NodeRecord { registered: true, ..node.clone() }));
        object["data"].as_object_mut().expect("fields").remove("registered");
        assert_eq!(NodeRecord::read(&object), Ok(node), "as an older version wrote it");
    }

    #[test]
    fn a_token_of_another_kind_is_not_ours() {
        let mut object = token(None).object();
        object["stringData"]["usage-sk8s-join-worker"] = json!("false");
        assert_eq!(TokenRecord::read(&stored(&object)), Ok(None));
    }

    #[test]
    fn a_token_whose_end_is_unreadable_is_damaged_and_not_everlasting() {
        let mut object = token(None).object();
        object["stringData"]["expiration"] = json!("tomorrow");
        assert!(TokenRecord::read(&stored(&object)).is_err());
    }

    proptest! {
        #[test]
        fn times_survive_their_text(seconds in 0_u64..4_000_000_000) {
            prop_assert_eq!(UnixTime::from_rfc3339(&UnixTime(seconds).rfc3339()), Some(UnixTime(seconds)));
        }
    }
}
