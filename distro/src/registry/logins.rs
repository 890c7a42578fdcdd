//! Docker's file of credentials, `config.json`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// Who to be at a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// A user.
    Password {
        /// Their name.
        user: String,
        /// Their password.
        password: String,
    },
    /// What a registry's own login gave instead of a password.
    Identity(String),
}

/// Credentials by host.
#[derive(Clone, Default)]
pub struct Logins(BTreeMap<String, Login>);

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// What the hub's host is called by those who store credentials.
const HUB: [&str; 3] = ["index.docker.io", "docker.io", "registry-1.docker.io"];

impl Logins {
    /// Reads the file's text. What a credential helper keeps is not in it.
    ///
    /// # Errors
    /// If the text is no JSON, or a credential is of another kind.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(text)?;
        let known = file.auths.iter().filter_map(|(key, auth)| Some((host(key).to_owned(), login(auth)?)));
        Ok(Self(known.collect()))
    }

    /// Who to be at a host.
    pub(super) fn at(&self, authority: &str) -> Option<&Login> {
        let own = self.0.get(authority);
        own.or_else(|| HUB.contains(&authority).then(|| HUB.iter().find_map(|name| self.0.get(*name))).flatten())
    }
}

/// Keys are hosts, or URLs of former times.
fn host(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn login(auth: &Auth) -> Option<Login> {
    if !auth.identitytoken.is_empty() {
        return Some(Login::Identity(auth.identitytoken.clone()));
    }
    let decoded = STANDARD.decode(auth.auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
    let (user, password) = pair.unwrap_or((&auth.username, &auth.password));
    (!user.is_empty()).then(|| Login::Password { user: user.to_owned(), password: password.to_owned() })
}

impl Login {
    /// The header that says so, where the registry takes a password.
    pub fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Self::Identity(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Login, Logins};

    fn user(logins: &Logins, host: &str) -> Option<String> {
        match logins.at(host)? {
            Login::Password { user, password } => Some(format!("{user}/{password}")),
            Login::Identity(token) => Some(format!("token {token}")),
        }
    }

    #[test]
    fn every_form_that_docker_has_written_is_read() {
        let text = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "YWRhOmI6Yw=="},
            "barn:5000": {"username": "eve", "password": "x"},
            "cloud.example": {"auth": "YWRhOng=", "identitytoken": "t"},
            "helped.example": {}
        }, "credsStore": "desktop", "HttpHeaders": {"a": "b"}}"#;
        let logins = Logins::parse(text).expect("logins");
        assert_eq!(user(&logins, "registry-1.docker.io").as_deref(), Some("ada/b:c"));
        assert_eq!(user(&logins, "barn:5000").as_deref(), Some("eve/x"));
        assert_eq!(user(&logins, "cloud.example").as_deref(), Some("token t"));
        assert_eq!(user(&logins, "helped.example"), None);
        assert_eq!(user(&logins, "barn"), None);
        assert_eq!(logins.at("barn:5000").and_then(Login::basic).as_deref(), Some("Basic ZXZlOng="));
    }

    proptest! {
        #[test]
        fn any_credential_is_read_or_passed_over(auth in ".{0,30}") {
            let text = serde_json::json!({"auths": {"a": {"auth": auth}}}).to_string();
            prop_assert!(Logins::parse(&text).is_ok());
        }
    }
}
