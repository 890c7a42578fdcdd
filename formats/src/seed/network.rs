//! An interface's network, and the file that systemd-networkd reads for it.

use std::{fmt::Write as _, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::text::{Address, Domain, InterfaceName, Mac};

/// One wired interface, or all of them if neither name nor hardware address is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Interface {
    /// By its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<InterfaceName>,
    /// By its hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Whether addresses come by DHCP; so they do if none are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dhcp: Option<bool>,
    /// Fixed addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The way to everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// Name servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<IpAddr>,
    /// Domains in which short names are looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Domain>,
    /// The largest packet, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

impl Interface {
    /// Whether addresses come by DHCP.
    #[must_use]
    pub fn uses_dhcp(&self) -> bool {
        self.dhcp.unwrap_or(self.addresses.is_empty())
    }

    /// The text of a `.network` file (`systemd.network(5)`).
    #[must_use]
    pub fn networkd(&self) -> String {
        let mut text = "# From the seed.\n[Match]\n".to_owned();
        let mut line = |key: &str, value: &dyn std::fmt::Display| {
            let _infallible = writeln!(text, "{key}={value}");
        };
        match (&self.name, &self.mac) {
            (None, None) => {
                line("Type", &"ether");
                line("Kind", &"!*");
            }
            (name, mac) => {
                name.iter().for_each(|name| line("Name", name));
                mac.iter().for_each(|mac| line("MACAddress", mac));
            }
        }
        if let Some(mtu) = self.mtu {
            text.push_str("\n[Link]\n");
            let _infallible = writeln!(text, "MTUBytes={mtu}");
        }
        text.push_str("\n[Network]\n");
        let mut line = |key: &str, value: &dyn std::fmt::Display| {
            let _infallible = writeln!(text, "{key}={value}");
        };
        line("DHCP", if self.uses_dhcp() { &"yes" } else { &"no" });
        line("LLMNR", &"no");
        line("MulticastDNS", &"no");
        self.addresses.iter().for_each(|address| line("Address", address));
        self.gateway.iter().for_each(|gateway| line("Gateway", gateway));
        self.dns.iter().for_each(|server| line("DNS", server));
        self.domains.iter().for_each(|domain| line("Domains", domain));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_address_becomes_a_networkd_file() {
        let interface = Interface {
            mac: "52:54:00:12:34:56".parse().ok(),
            addresses: vec!["192.168.1.10/24".parse().unwrap()],
            gateway: "192.168.1.1".parse().ok(),
            dns: vec!["192.168.1.1".parse().unwrap()],
            mtu: Some(9000),
            ..Interface::default()
        };
        assert_eq!(
            interface.networkd(),
            "# From the seed.\n[Match]\nMACAddress=52:54:00:12:34:56\n\n[Link]\nMTUBytes=9000\n\n[Network]\nDHCP=no\n\
             LLMNR=no\nMulticastDNS=no\nAddress=192.168.1.10/24\nGateway=192.168.1.1\nDNS=192.168.1.1\n"
        );
    }

    #[test]
    fn nothing_said_is_dhcp_on_every_wired_interface() {
        assert_eq!(
            Interface::default().networkd(),
            "# From the seed.\n[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=yes\nLLMNR=no\nMulticastDNS=no\n"
        );
    }
}
