//! DNS names and addresses.

use std::{fmt, net::IpAddr, str::FromStr};

use super::node::is_subdomain;

/// Text that is neither an address nor a DNS name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("neither an address nor a DNS name: `{0}`")]
pub struct BadHost(String);

/// A DNS domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

/// A name or address that a certificate is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum San {
    /// A DNS name.
    Dns(Domain),
    /// An address.
    Ip(IpAddr),
}

impl Domain {
    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        if is_subdomain(text) { Ok(Self(text.to_owned())) } else { Err(BadHost(text.chars().take(80).collect())) }
    }
}

/// As a host in a URL: an IPv6 address in brackets.
impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(IpAddr::V4(v4)) => v4.fmt(f),
            Self::Ip(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

impl FromStr for San {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        text.parse().map(Self::Dns)
    }
}

#[cfg(test)]
mod tests {
    use super::San;

    #[test]
    fn a_host_is_an_address_or_a_name() {
        for (text, in_url) in [("192.0.2.1", "192.0.2.1"), ("fd00::1", "[fd00::1]"), ("shed.example", "shed.example")] {
            assert_eq!(text.parse::<San>().expect("a host").to_string(), in_url);
        }
        let error = "a b".parse::<San>().expect_err("no name").to_string();
        assert_eq!(error, "neither an address nor a DNS name: `a b`");
    }
}
