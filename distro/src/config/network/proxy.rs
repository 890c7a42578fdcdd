//! kube-proxy: `spec.network.kubeProxy`.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::config::{
    duration::{self, BadDuration},
    raw::absent,
};

/// kube-proxy, as its owner wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// What its rules are written for.
    pub mode: ProxyMode,
    /// How it writes them.
    pub tuning: Tuning,
    /// Where services of type NodePort are answered: ranges of addresses, or `primary` alone; upstream's choice if empty.
    pub node_ports: Vec<String>,
}

/// What kube-proxy's rules are written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// The kernel's nftables, through `nft`.
    #[default]
    Nftables,
    /// The older interface, through `iptables`.
    Iptables,
}

impl ProxyMode {
    /// Its word in kube-proxy's configuration, which is also the name of its section there.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nftables => "nftables",
            Self::Iptables => "iptables",
        }
    }
}

/// How rules are written. What is `None` is upstream's to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Whether every packet to a service gets the node's address as its source.
    pub masquerade_all: Option<bool>,
    /// Which bit of a packet's mark asks for that, 0 to 31.
    pub masquerade_bit: Option<u8>,
    /// Whether services of type NodePort answer on loopback; iptables only.
    pub localhost_node_ports: Option<bool>,
    /// How often rules are written anew.
    pub sync_period: Option<Duration>,
    /// How long changes are gathered before they are written.
    pub min_sync_period: Option<Duration>,
}

/// `spec.network.kubeProxy` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawProxy {
    /// Whether something else does its work.
    pub disabled: Option<bool>,
    /// `nftables` or `iptables`.
    pub mode: Option<String>,
    /// With mode `nftables`.
    #[serde(default, deserialize_with = "absent")]
    pub nftables: RawNftables,
    /// With mode `iptables`.
    #[serde(default, deserialize_with = "absent")]
    pub iptables: RawIptables,
    /// Where services of type NodePort are answered.
    pub node_port_addresses: Option<Vec<String>>,
}

/// `spec.network.kubeProxy.nftables` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawNftables {
    masquerade_all: Option<bool>,
    masquerade_bit: Option<u32>,
    sync_period: Option<String>,
    min_sync_period: Option<String>,
}

/// `spec.network.kubeProxy.iptables` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawIptables {
    masquerade_all: Option<bool>,
    masquerade_bit: Option<u32>,
    localhost_node_ports: Option<bool>,
    sync_period: Option<String>,
    min_sync_period: Option<String>,
}

/// A kube-proxy that cannot be. Display begins with the key below `spec.network.kubeProxy`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadProxy {
    /// The mode that upstream gives up.
    #[error("mode: `ipvs` is not supported, upstream is giving it up: use `nftables`")]
    Ipvs,
    /// None that is known.
    #[error("mode: unknown: `{0}`; known: `nftables`, `iptables`")]
    Mode(String),
    /// Settings of the other mode.
    #[error("{given}: given, but the mode is `{mode}`")]
    OtherMode {
        /// The section that is not used.
        given: &'static str,
        /// The mode.
        mode: &'static str,
    },
    /// Settings of what does not run.
    #[error("disabled: yet told how to run; leave the other keys out")]
    Disabled,
    /// No bit of a mark.
    #[error("{mode}.masqueradeBit: `{bit}` is not from 0 to 31")]
    Bit {
        /// Whose section.
        mode: &'static str,
        /// What was written.
        bit: u32,
    },
    /// No span of time.
    #[error("{mode}.{key}")]
    Span {
        /// Whose section.
        mode: &'static str,
        /// Which key.
        key: &'static str,
        /// What is wrong.
        #[source]
        source: BadDuration,
    },
    /// No range of addresses.
    #[error("nodePortAddresses: neither a range of addresses nor `primary`: `{0}`")]
    NodePorts(String),
    /// The node's main address and more.
    #[error("nodePortAddresses: `primary` stands alone")]
    Primary,
}

impl Proxy {
    /// Checks `spec.network.kubeProxy`; `None` if it is disabled.
    ///
    /// # Errors
    /// Every value that cannot be.
    pub fn validate(raw: &RawProxy) -> Result<Option<Self>, Vec<BadProxy>> {
        if raw.disabled == Some(true) {
            let alone = RawProxy { disabled: Some(true), ..RawProxy::default() };
            return if *raw == alone { Ok(None) } else { Err(vec![BadProxy::Disabled]) };
        }
        let mut problems = Vec::new();
        let (mode, tuning) = match raw.mode.as_deref().unwrap_or("nftables") {
            "nftables" => (ProxyMode::Nftables, nftables(raw, &mut problems)),
            "iptables" => (ProxyMode::Iptables, iptables(raw, &mut problems)),
            other => {
                problems.push(if other == "ipvs" { BadProxy::Ipvs } else { BadProxy::Mode(other.to_owned()) });
                (ProxyMode::default(), Tuning::default())
            }
        };
        let node_ports = raw.node_port_addresses.clone().unwrap_or_default();
        let bad = node_ports.iter().filter(|text| *text != "primary" && !is_range(text));
        problems.extend(bad.cloned().map(BadProxy::NodePorts));
        if node_ports.len() > 1 && node_ports.iter().any(|text| text == "primary") {
            problems.push(BadProxy::Primary);
        }
        if problems.is_empty() { Ok(Some(Self { mode, tuning, node_ports })) } else { Err(problems) }
    }
}

fn nftables(raw: &RawProxy, problems: &mut Vec<BadProxy>) -> Tuning {
    if raw.iptables != RawIptables::default() {
        problems.push(BadProxy::OtherMode { given: "iptables", mode: "nftables" });
    }
    let mut section = Section { mode: "nftables", problems };
    Tuning {
        masquerade_all: raw.nftables.masquerade_all,
        masquerade_bit: section.bit(raw.nftables.masquerade_bit),
        localhost_node_ports: None,
        sync_period: section.span("syncPeriod", raw.nftables.sync_period.as_ref()),
        min_sync_period: section.span("minSyncPeriod", raw.nftables.min_sync_period.as_ref()),
    }
}

fn iptables(raw: &RawProxy, problems: &mut Vec<BadProxy>) -> Tuning {
    if raw.nftables != RawNftables::default() {
        problems.push(BadProxy::OtherMode { given: "nftables", mode: "iptables" });
    }
    let mut section = Section { mode: "iptables", problems };
    Tuning {
        masquerade_all: raw.iptables.masquerade_all,
        masquerade_bit: section.bit(raw.iptables.masquerade_bit),
        localhost_node_ports: raw.iptables.localhost_node_ports,
        sync_period: section.span("syncPeriod", raw.iptables.sync_period.as_ref()),
        min_sync_period: section.span("minSyncPeriod", raw.iptables.min_sync_period.as_ref()),
    }
}

struct Section<'a> {
    mode: &'static str,
    problems: &'a mut Vec<BadProxy>,
}

impl Section<'_> {
    fn bit(&mut self, bit: Option<u32>) -> Option<u8> {
        let fits = bit.map(|bit| u8::try_from(bit).ok().filter(|bit| *bit < 32).ok_or(bit)).transpose();
        fits.map_err(|bit| self.problems.push(BadProxy::Bit { mode: self.mode, bit })).ok().flatten()
    }

    fn span(&mut self, key: &'static str, text: Option<&String>) -> Option<Duration> {
        let span = text.map(|text| duration::parse(text)).transpose();
        span.map_err(|source| self.problems.push(BadProxy::Span { mode: self.mode, key, source })).ok().flatten()
    }
}

fn is_range(text: &str) -> bool {
    let parts = text.split_once('/').and_then(|(address, length)| Some((address.parse().ok()?, length.parse().ok()?)));
    parts.is_some_and(|(address, length): (IpAddr, u8)| length <= if address.is_ipv4() { 32 } else { 128 })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Proxy, ProxyMode};

    fn proxy(yaml: &str) -> Result<Option<Proxy>, Vec<String>> {
        let raw = serde_yaml_ng::from_str(yaml).expect("well-formed");
        Proxy::validate(&raw).map_err(|bad| bad.iter().map(|bad| crate::supervisor::chain(bad)).collect())
    }

    fn refusal(yaml: &str) -> String {
        proxy(yaml).expect_err("refused").join("\n")
    }

    #[test]
    fn each_mode_has_its_own_tuning() {
        let text = "{mode: iptables, iptables: {minSyncPeriod: 5s, masqueradeBit: 14, localhostNodePorts: false}}";
        let proxy = proxy(text).expect("valid").expect("enabled");
        assert_eq!(proxy.mode, ProxyMode::Iptables);
        assert_eq!(proxy.tuning.min_sync_period, Some(Duration::from_secs(5)));
        assert_eq!((proxy.tuning.masquerade_bit, proxy.tuning.localhost_node_ports), (Some(14), Some(false)));
        assert_eq!(refusal("{iptables: {syncPeriod: 1s}}"), "iptables: given, but the mode is `nftables`");
    }

    #[test]
    fn ipvs_comes_with_a_way_out() {
        let text = "mode: `ipvs` is not supported, upstream is giving it up: use `nftables`";
        assert_eq!(refusal("{mode: ipvs}"), text);
        assert_eq!(refusal("{mode: userspace}"), "mode: unknown: `userspace`; known: `nftables`, `iptables`");
    }

    #[test]
    fn what_is_disabled_is_not_told_how_to_run() {
        assert_eq!(proxy("{disabled: true}"), Ok(None));
        assert!(refusal("{disabled: true, mode: iptables}").starts_with("disabled: yet told how to run"));
    }

    #[test]
    fn values_have_bounds() {
        let text = "nftables.masqueradeBit: `32` is not from 0 to 31\n\
                    nftables.syncPeriod: not a span of time: `x`; wanted: as in `8760h`, `1h30m` or `30s`\n\
                    nodePortAddresses: neither a range of addresses nor `primary`: `10.0.0.0/33`\n\
                    nodePortAddresses: `primary` stands alone";
        let yaml =
            "{nftables: {masqueradeBit: 32, syncPeriod: x}, nodePortAddresses: [10.0.0.0/33, primary, 'fd00::/64']}";
        assert_eq!(refusal(yaml), text);
    }
}
