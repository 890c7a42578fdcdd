//! Where a registry's server is.

use std::net::IpAddr;

use ureq::http::Uri;

/// Where a server's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub scheme: Scheme,
    /// Host, with or without a port.
    pub authority: String,
    /// Path of the API, `/v2` as a rule.
    pub path: String,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In the open.
    Http,
    /// Over TLS.
    Https,
}

/// What the path in a server's address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stem {
    /// What stands before `/v2`.
    Before,
    /// All of it.
    Whole,
}

/// Text that is no server's address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the address of a registry: `{0}`; wanted: as in `https://mirror.example:5000`")]
pub struct BadAddress(String);

impl Endpoint {
    /// A registry's own, where nothing else is said: without TLS only on this very machine.
    pub fn of(registry: &str) -> Self {
        let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        let scheme = if is_loopback(registry) { Scheme::Http } else { Scheme::Https };
        Self { scheme, authority: host.to_owned(), path: "/v2".to_owned() }
    }

    pub fn parse(text: &str, stem: Stem) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.chars().take(200).collect());
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: Uri = whole.parse().map_err(|_| bad())?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(bad()),
        };
        let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(bad)?.to_string();
        let path = uri.path().trim_end_matches('/');
        let path = if stem == Stem::Whole || path.ends_with("/v2") { path.to_owned() } else { format!("{path}/v2") };
        Ok(Self { scheme, authority, path })
    }

    /// Its URL without the path.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority)
    }
}

impl Scheme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

fn is_loopback(registry: &str) -> bool {
    let host = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => registry,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Endpoint, Scheme, Stem};

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for (registry, scheme) in [
            ("localhost:5000", Scheme::Http),
            ("127.0.0.9", Scheme::Http),
            ("[::1]:5000", Scheme::Http),
            ("localhost.example", Scheme::Https),
            ("192.168.1.1:5000", Scheme::Https),
        ] {
            assert_eq!(Endpoint::of(registry).scheme, scheme, "{registry}");
        }
        assert_eq!(Endpoint::of("docker.io").authority, "registry-1.docker.io");
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_refused(text in ".{0,60}") {
            if let Ok(at) = Endpoint::parse(&text, Stem::Before) {
                prop_assert!(at.path.ends_with("/v2") && !at.authority.is_empty());
            }
        }
    }
}
