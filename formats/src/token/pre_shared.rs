//! Tokens that are made before their cluster runs, as its controllers are told of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TokenId, TokenSecret};
use crate::{moment::Moment, role::Role};

/// A token as a cluster keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreShared {
    /// Its public half.
    pub id: TokenId,
    /// Its secret half.
    pub secret: TokenSecret,
    /// What it admits: `controller` or `worker`.
    pub role: Role,
    /// When it ends; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// The type of a token's Secret: Kubernetes' own for bootstrap tokens.
pub const SECRET_TYPE: &str = "bootstrap.kubernetes.io/token";

/// The key of a token's Secret that says what it admits.
#[must_use]
pub const fn usage(role: Role) -> &'static str {
    match role {
        Role::Controller => "usage-sk8s-join-controller",
        Role::Worker | Role::Single => "usage-sk8s-join-worker",
    }
}

impl PreShared {
    /// The Secret of `kube-system` that makes the token known. It has a usage of ours alone: it opens nothing in the API.
    #[must_use]
    pub fn object(&self) -> Value {
        let mut data = json!({
            "token-id": self.id.as_str(),
            "token-secret": self.secret.reveal(),
            "description": self.description,
            usage(self.role): "true",
        });
        if let Some(expires) = self.expires {
            data["expiration"] = json!(expires.to_string());
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": SECRET_TYPE,
            "metadata": { "name": format!("bootstrap-token-{}", self.id), "namespace": "kube-system" },
            "stringData": data,
        })
    }

    /// The file that `sk8s controller --tokens` reads: the Secrets of all these tokens, as JSON.
    #[must_use]
    pub fn file(tokens: &[Self]) -> String {
        let items: Vec<Value> = tokens.iter().map(Self::object).collect();
        format!("{:#}\n", json!({ "apiVersion": "v1", "kind": "List", "items": items }))
    }
}
