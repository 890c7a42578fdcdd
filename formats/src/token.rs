//! Join tokens: what a node needs to join a cluster, in one line of text.
//!
//! `sk8s1.` and base64url (RFC 4648, without padding) of a JSON object: whom to ask, whose authority to trust (by the digest
//! of its certificate), and a bootstrap token's id and secret in the form of Kubernetes' own. How long a token is good, and
//! whether it still is, stands in the cluster alone.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, role::Role, text_type};

mod pre_shared;
mod validity;

pub use pre_shared::{PreShared, SECRET_TYPE, usage};
pub use validity::{BadValidity, Validity};

/// What every token starts with.
const PREFIX: &str = "sk8s1.";
/// The longest text that is looked at, in bytes.
const LONGEST: usize = 8192;
/// How many servers a token may name, and a member keeps in mind.
pub const MOST_SERVERS: usize = 16;

/// The port of a controller.
pub const PORT: u16 = 6443;

/// A join token.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// What the joining node will be: `controller` or `worker`.
    pub role: Role,
    /// Its public half.
    pub id: TokenId,
    /// Its secret half.
    pub secret: TokenSecret,
    /// SHA-256 of the DER form of the cluster authority's certificate.
    pub authority: Digest,
    /// Controllers to ask, the first that answers is taken; 1 to 16.
    pub servers: Vec<Server>,
}

/// A text that is no join token.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadToken {
    /// It starts with something else.
    #[error("not a join token: it does not start with `{PREFIX}`")]
    Prefix,
    /// A part is missing, or something was changed.
    #[error("the join token is damaged or cut off")]
    Damaged,
    /// It is whole, and says what cannot be.
    #[error("the join token cannot be used: {0}")]
    Content(String),
}

/// Six of `a-z 0-9`: the public half of a bootstrap token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

/// Sixteen of `a-z 0-9`: the secret half of a bootstrap token. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenSecret(String);

/// A controller's address: a host name or an IP address, and a port where it is not 6443.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server(String);

/// A text that is no part of a token.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not {wanted}")]
pub struct BadPart {
    wanted: &'static str,
}

text_type!(TokenId);
text_type!(Server);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    role: Role,
    id: TokenId,
    secret: TokenSecret,
    ca: Digest,
    servers: Vec<Server>,
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, id, secret, authority, servers } = self.clone();
        let written = Written { role, id, secret, ca: authority, servers };
        let json = serde_json::to_vec(&written).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinToken({} for {})", self.id, self.role)
    }
}

impl FromStr for JoinToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let body = text.trim().strip_prefix(PREFIX).ok_or(BadToken::Prefix)?;
        if body.len() > LONGEST {
            return Err(BadToken::Damaged);
        }
        let json = URL_SAFE_NO_PAD.decode(body).map_err(|_| BadToken::Damaged)?;
        let written: Written = serde_json::from_slice(&json)
            .map_err(|error| if error.is_data() { BadToken::Content(error.to_string()) } else { BadToken::Damaged })?;
        let Written { role, id, secret, ca, servers } = written;
        if role == Role::Single {
            return Err(BadToken::Content("no node joins as `single`".to_owned()));
        }
        if !(1..=MOST_SERVERS).contains(&servers.len()) {
            return Err(BadToken::Content(format!(
                "it names {} controllers; wanted: 1 to {MOST_SERVERS}",
                servers.len()
            )));
        }
        Ok(Self { role, id, secret, authority: ca, servers })
    }
}

impl FromStr for TokenId {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<Self, BadPart> {
        if plain(text, 6) { Ok(Self(text.to_owned())) } else { Err(BadPart { wanted: "a token id: six of `a-z 0-9`" }) }
    }
}

impl TokenSecret {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret([redacted])")
    }
}

impl FromStr for TokenSecret {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<Self, BadPart> {
        if plain(text, 16) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadPart { wanted: "a token secret: sixteen of `a-z 0-9`" })
        }
    }
}

impl TryFrom<String> for TokenSecret {
    type Error = BadPart;

    fn try_from(text: String) -> Result<Self, BadPart> {
        text.parse()
    }
}

impl From<TokenSecret> for String {
    fn from(secret: TokenSecret) -> Self {
        secret.0
    }
}

fn plain(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

impl Server {
    /// Host and port.
    #[must_use]
    pub fn host_and_port(&self) -> (&str, u16) {
        split(&self.0).unwrap_or((&self.0, PORT))
    }

    /// The URL of the API there.
    #[must_use]
    pub fn url(&self) -> String {
        let (host, port) = self.host_and_port();
        if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") }
    }
}

impl FromStr for Server {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<Self, BadPart> {
        let wanted = "a controller's address: a host name or an IP address (IPv6 in brackets), with `:PORT` where it is not 6443";
        match split(text) {
            Some((host, _)) if is_host(host) => Ok(Self(text.to_owned())),
            _ => Err(BadPart { wanted }),
        }
    }
}

/// An IPv6 address stands in brackets (RFC 3986).
fn split(text: &str) -> Option<(&str, u16)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if rest.is_empty() => PORT,
        None => return None,
    };
    Some((host, port))
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.parse::<std::net::IpAddr>().is_ok() || (host.len() <= 253 && host.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadToken, JoinToken, Server};
    use crate::{digest::Digest, role::Role};

    fn token(role: Role, servers: &[&str]) -> JoinToken {
        JoinToken {
            role,
            id: "abc123".parse().expect("valid"),
            secret: "0123456789abcdef".parse().expect("valid"),
            authority: Digest::of(b"certificate"),
            servers: servers.iter().map(|text| text.parse().expect("valid")).collect(),
        }
    }

    #[test]
    fn a_token_survives_its_text() {
        let token = token(Role::Worker, &["192.0.2.1", "[2001:db8::1]:7443", "barn.example"]);
        assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn the_secret_is_not_in_its_debug_form() {
        let shown = format!("{:?}", token(Role::Worker, &["192.0.2.1"]));
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
    }

    #[test]
    fn a_token_that_was_cut_off_says_so() {
        let text = token(Role::Worker, &["192.0.2.1"]).to_string();
        for length in 6..text.len() {
            assert_eq!(text[..length].parse::<JoinToken>(), Err(BadToken::Damaged), "{length}");
        }
        assert_eq!("K10abc::server:x".parse::<JoinToken>(), Err(BadToken::Prefix));
    }

    #[test]
    fn nobody_joins_as_single_or_with_nobody_to_ask() {
        for bad in [token(Role::Single, &["192.0.2.1"]), token(Role::Worker, &[])] {
            assert!(matches!(bad.to_string().parse::<JoinToken>(), Err(BadToken::Content(_))));
        }
    }

    #[test]
    fn a_server_is_a_host_with_or_without_a_port() {
        let parts = |text: &str| {
            text.parse::<Server>().ok().map(|server| {
                let (host, port) = server.host_and_port();
                (host.to_owned(), port)
            })
        };
        assert_eq!(parts("192.0.2.1"), Some(("192.0.2.1".into(), 6443)));
        assert_eq!(parts("barn.example:443"), Some(("barn.example".into(), 443)));
        assert_eq!(parts("[2001:db8::1]"), Some(("2001:db8::1".into(), 6443)));
        for bad in ["", ":1", "a:0", "a:70000", "a b", "https://a", "2001:db8::1", "[::1", "-a", "a/b"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_refused(text in "\\PC{0,80}", tail in "[A-Za-z0-9_-]{0,200}") {
            let _ = text.parse::<JoinToken>();
            let _ = format!("sk8s1.{tail}").parse::<JoinToken>();
        }

        #[test]
        fn any_server_is_split_or_refused(text in "\\PC{0,60}") {
            if let Ok(server) = text.parse::<Server>() {
                prop_assert!(server.host_and_port().1 > 0);
            }
        }
    }
}
