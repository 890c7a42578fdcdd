//! Tokens that were made without the cluster: read from a file, made known once.
//!
//! Which were made known stands in the cluster, so that a token that somebody ended since does not come back when a
//! controller starts again, or another controller starts with the same file.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skerry_formats::token::{SECRET_TYPE, TokenId};

use super::record::{BadRecord, SECRETS, TokenRecord};
use crate::{
    api::{ApiError, CONFIG_MAPS, Client, Creation},
    manifests::{self, BadManifest},
    pki::UnixTime,
};

/// A file that holds something else than tokens.
#[derive(Debug, thiserror::Error)]
pub enum BadTokens {
    /// No objects.
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    /// A damaged token.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// An object of another kind.
    #[error("`{kind}/{name}` is no join token of sk8s")]
    Other {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// Which tokens were made known: id to time.
const LEDGER: &str = "sk8s-pre-shared-tokens";

/// Reads tokens as `sk8s token pre-shared` writes them: Secrets, one or more, or a list of them.
///
/// # Errors
/// If there is anything else in the text.
pub fn read_tokens(text: &str) -> Result<Vec<TokenRecord>, BadTokens> {
    let read = |object: manifests::Object| {
        let other = || BadTokens::Other { kind: object.kind.clone(), name: object.name.clone() };
        if object.kind != "Secret" || object.value["type"] != SECRET_TYPE {
            return Err(other());
        }
        TokenRecord::read(&object.value)?.ok_or_else(other)
    };
    manifests::objects(text)?.into_iter().map(read).collect()
}

/// Those that the cluster was not told of, and that are still good.
fn untold<'a>(tokens: &'a [TokenRecord], ledger: Option<&Value>, now: UnixTime) -> Vec<&'a TokenRecord> {
    let told = |token: &TokenRecord| ledger.is_some_and(|ledger| !ledger["data"][token.id.as_str()].is_null());
    let good = |token: &TokenRecord| token.expires.is_none_or(|expires| expires > now);
    tokens.iter().filter(|token| !told(token) && good(token)).collect()
}

/// Makes tokens known to a cluster, each once in the cluster's life. Says which are new to it.
///
/// # Errors
/// If the API cannot be reached or refuses; what is done stays done, and doing it again does the rest.
pub fn make_known(client: &Client, tokens: &[TokenRecord], now: UnixTime) -> Result<Vec<TokenId>, ApiError> {
    let path = format!("{CONFIG_MAPS}/{LEDGER}");
    let ledger = client.get(&path)?;
    let mut made = Vec::new();
    let untold = untold(tokens, ledger.as_ref(), now);
    for token in &untold {
        if client.create(SECRETS, &token.object())? == Creation::Made {
            made.push(token.id.clone());
        }
    }
    if !untold.is_empty() {
        let times: BTreeMap<&str, String> = untold.iter().map(|token| (token.id.as_str(), now.rfc3339())).collect();
        note(client, &path, &json!({ "data": times }))?;
    }
    Ok(made)
}

/// Adds to the ledger; it is made where there is none, and other controllers' lines stay.
fn note(client: &Client, path: &str, lines: &Value) -> Result<(), ApiError> {
    let empty = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": LEDGER, "namespace": "kube-system" },
    });
    client.create(CONFIG_MAPS, &empty)?;
    client.merge(path, lines)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use skerry_formats::{moment::Moment, role::Role, token::PreShared};

    use super::{TokenRecord, read_tokens, untold};
    use crate::pki::UnixTime;

    fn token(id: &str, expires: Option<u64>) -> PreShared {
        PreShared {
            id: id.parse().expect("valid"),
            secret: "0123456789abcdef".parse().expect("valid"),
            role: Role::Worker,
            expires: expires.map(Moment),
            description: "barn".to_owned(),
        }
    }

    fn ids<'a>(tokens: &[&'a TokenRecord]) -> Vec<&'a str> {
        tokens.iter().map(|token| token.id.as_str()).collect()
    }

    #[test]
    fn the_file_of_a_seed_is_read() {
        let tokens = [token("abc123", None), token("abc124", Some(1_800_000_000))];
        let read = read_tokens(&PreShared::file(&tokens)).expect("tokens");
        assert_eq!(read, tokens.map(TokenRecord::from));
        assert_eq!(read_tokens(&PreShared::file(&[])).expect("none"), []);
    }

    #[test]
    fn other_objects_are_refused_by_name() {
        let said = |text: &str| read_tokens(text).expect_err("no token").to_string();
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
        assert_eq!(said(pod), "`Pod/web` is no join token of sk8s");
        let text = PreShared::file(&[token("abc123", None)]);
        let foreign = text.replace("usage-sk8s-join-worker", "usage-bootstrap-authentication");
        assert_eq!(said(&foreign), "`Secret/bootstrap-token-abc123` is no join token of sk8s");
        let damaged = text.replace("0123456789abcdef", "short");
        assert_eq!(said(&damaged), "`bootstrap-token-abc123`: `token-secret` is missing or damaged");
        assert_eq!(said("kind: Secret\n"), "document 1: `apiVersion` is missing");
    }

    #[test]
    fn a_token_is_told_once_and_never_after_its_end() {
        let now = UnixTime(1_800_000_000);
        let tokens = [("aaaaa1", None), ("aaaaa2", Some(now.0)), ("aaaaa3", Some(now.0 + 1))]
            .map(|(id, expires)| TokenRecord::from(token(id, expires)));
        assert_eq!(ids(&untold(&tokens, None, now)), ["aaaaa1", "aaaaa3"]);
        let ledger = json!({"data": {"aaaaa1": "2026-01-01T00:00:00Z"}});
        assert_eq!(ids(&untold(&tokens, Some(&ledger), now)), ["aaaaa3"]);
        assert_eq!(ids(&untold(&tokens, Some(&json!({})), now)), ["aaaaa1", "aaaaa3"]);
    }

    proptest! {
        #[test]
        fn any_text_is_tokens_or_refused(text in "\\PC{0,200}") {
            let _ = read_tokens(&text);
        }
    }
}
