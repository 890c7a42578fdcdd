//! How the API server is reached, and how long what it hands out is good: `spec.api`.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    duration::{self, BadDuration},
    flags::{BadFlag, Flags, Target},
    host::{BadHost, San},
    raw::{Text, absent},
};

/// The API server, as its owner wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// The address that it tells the cluster; the node's own if `None`.
    pub address: Option<Ipv4Addr>,
    /// What it is reached at from outside, as a load balancer's name.
    pub external: Option<San>,
    /// What its certificate is good for besides what the node finds out by itself. Holds the two above.
    pub sans: Vec<San>,
    /// Flags of the owner's, over ours.
    pub extra_args: Flags,
    /// How long certificates are good.
    pub lifetimes: Lifetimes,
}

/// How long certificates are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An authority that sk8s makes.
    pub authority: Duration,
    /// What authorities sign.
    pub leaf: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Lifetimes {
    fn default() -> Self {
        Self { authority: DAY * 3650, leaf: DAY * 365 }
    }
}

/// `spec.api` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawApi {
    /// The address that it tells the cluster.
    pub address: Option<String>,
    /// What it is reached at from outside.
    pub external_address: Option<String>,
    /// Further names and addresses for its certificate.
    pub sans: Option<Vec<String>>,
    /// 6443.
    pub port: Option<u32>,
    /// Flags of kube-apiserver.
    pub extra_args: Option<BTreeMap<String, Text>>,
    /// How long certificates are good.
    #[serde(default, deserialize_with = "absent")]
    pub ca: RawCa,
}

/// `spec.api.ca` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawCa {
    /// An authority that sk8s makes.
    pub expires_after: Option<String>,
    /// What authorities sign.
    pub certificates_expire_after: Option<String>,
}

/// An API server that cannot be. Display begins with the key below `spec.api`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadApi {
    /// No address, or one that nobody can call.
    #[error("address: not an IPv4 address that others can call: `{0}`")]
    Address(String),
    /// No host.
    #[error("{key}")]
    Host {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        #[source]
        source: BadHost,
    },
    /// Any other port.
    #[error("port: `{0}`; sk8s has one port, 6443: put a load balancer in front for another")]
    Port(u32),
    /// A flag.
    #[error("extraArgs")]
    Flag(#[source] BadFlag),
    /// No span of time.
    #[error("ca.{key}")]
    Span {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        #[source]
        source: BadDuration,
    },
    /// Certificates that would be issued all the time.
    #[error("ca.certificatesExpireAfter: less than a day")]
    TooShort,
    /// Certificates that would end after their authority.
    #[error("ca: certificates would outlive their authority: certificatesExpireAfter is more than expiresAfter")]
    Outlived,
}

impl Api {
    /// Checks `spec.api`.
    ///
    /// # Errors
    /// Every value that cannot be.
    pub fn validate(raw: &RawApi) -> Result<Self, Vec<BadApi>> {
        let mut problems = Vec::new();
        let address = raw.address.as_ref().and_then(|text| address(text).map_err(|bad| problems.push(bad)).ok());
        let external =
            raw.external_address.iter().filter_map(|text| host("externalAddress", text, &mut problems)).last();
        let mut sans: Vec<San> = address.into_iter().map(|v4| San::Ip(v4.into())).chain(external.clone()).collect();
        sans.extend(raw.sans.iter().flatten().filter_map(|text| host("sans", text, &mut problems)));
        problems.extend(raw.port.filter(|port| *port != 6443).map(BadApi::Port));
        let extra_args = Flags::check(Target::KubeApiserver, raw.extra_args.as_ref());
        let extra_args = extra_args.map_err(|bad| problems.extend(bad.into_iter().map(BadApi::Flag)));
        let lifetimes = lifetimes(&raw.ca, &mut problems);
        let extra_args = extra_args.unwrap_or_default();
        if problems.is_empty() { Ok(Self { address, external, sans, extra_args, lifetimes }) } else { Err(problems) }
    }
}

/// Endpoints may be neither loopback nor of one link only: kube-apiserver ends with such an address.
fn address(text: &str) -> Result<Ipv4Addr, BadApi> {
    let usable = |v4: &Ipv4Addr| {
        !(v4.is_loopback() || v4.is_unspecified() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast())
    };
    text.parse().ok().filter(usable).ok_or_else(|| BadApi::Address(text.to_owned()))
}

fn host(key: &'static str, text: &str, problems: &mut Vec<BadApi>) -> Option<San> {
    text.parse().map_err(|source| problems.push(BadApi::Host { key, source })).ok()
}

fn lifetimes(raw: &RawCa, problems: &mut Vec<BadApi>) -> Lifetimes {
    let usual = Lifetimes::default();
    let mut span = |key, text: Option<&String>, usual| {
        let span = text.map(|text| duration::parse(text)).transpose();
        span.map_err(|source| problems.push(BadApi::Span { key, source })).ok().flatten().unwrap_or(usual)
    };
    let authority = span("expiresAfter", raw.expires_after.as_ref(), usual.authority);
    let leaf = span("certificatesExpireAfter", raw.certificates_expire_after.as_ref(), usual.leaf);
    if leaf < DAY {
        problems.push(BadApi::TooShort);
    }
    if leaf > authority {
        problems.push(BadApi::Outlived);
    }
    Lifetimes { authority, leaf }
}

#[cfg(test)]
mod tests {
    use super::{Api, RawApi};

    fn api(yaml: &str) -> Result<Api, Vec<String>> {
        let raw = serde_yaml_ng::from_str::<RawApi>(yaml).expect("well-formed");
        Api::validate(&raw).map_err(|bad| bad.iter().map(|bad| crate::supervisor::chain(bad)).collect())
    }

    #[test]
    fn the_certificate_is_good_for_every_address_given() {
        let api = api("{address: 192.0.2.1, externalAddress: shed.example, sans: ['fd00::1']}").expect("valid");
        let sans: Vec<_> = api.sans.iter().map(ToString::to_string).collect();
        assert_eq!(sans, ["192.0.2.1", "shed.example", "[fd00::1]"]);
    }

    #[test]
    fn every_problem_is_told() {
        let text = "{address: 127.0.0.1, sans: ['a b', ok.example, '/'], port: 443, extraArgs: {secure-port: 1}, \
                    ca: {expiresAfter: 1h, certificatesExpireAfter: 2x}}";
        let wanted = [
            "address: not an IPv4 address that others can call: `127.0.0.1`",
            "sans: neither an address nor a DNS name: `a b`",
            "sans: neither an address nor a DNS name: `/`",
            "port: `443`; sk8s has one port, 6443: put a load balancer in front for another",
            "extraArgs: `secure-port` is not yours to set: a controller has one port: 6443",
            "ca.certificatesExpireAfter: not a span of time: `2x`; wanted: as in `8760h`, `1h30m` or `30s`",
            "ca: certificates would outlive their authority: certificatesExpireAfter is more than expiresAfter",
        ];
        assert_eq!(api(text).expect_err("refused"), wanted);
    }

    #[test]
    fn a_certificate_is_good_for_a_day_at_least() {
        let error = api("{ca: {certificatesExpireAfter: 23h}}").expect_err("refused");
        assert_eq!(error, ["ca.certificatesExpireAfter: less than a day"]);
    }
}
