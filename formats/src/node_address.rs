//! Which of a machine's addresses is its node's, for machines in several networks.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    seed::{InterfaceName, printable},
    text_form,
};

/// What a node's owner says of its address. It is IPv4, as the first addresses of pods and services are; the IPv6 beside it is
/// that of the same interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NodeAddress {
    /// That one.
    Fixed(Ipv4Addr),
    /// The one in a range, whichever it is: one configuration for many machines.
    Within(Range),
    /// The one of an interface.
    On(InterfaceName),
}

text_form!(NodeAddress);

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    base: Ipv4Addr,
    /// 8 to 32.
    prefix: u8,
}

/// A text that says nothing of an address.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadNodeAddress {
    /// It is none of the three.
    #[error(
        "not a node's address: `{0}`; wanted: an IPv4 address, a range such as `10.0.0.0/24`, or an interface such as `eth1`"
    )]
    Form(String),
    /// It is of the other family.
    #[error("`{0}` is IPv6: a node's first address is IPv4, and the IPv6 beside it that of the same interface")]
    Family(String),
    /// It is one of the machine itself, of one link, or of many machines.
    #[error("not an address that others can call: `{0}`")]
    Uncallable(String),
    /// It is an address with its network's prefix.
    #[error("not a range: `{text}`; did you mean `{range}` or `{address}`?")]
    HostBits {
        /// What was written.
        text: String,
        /// The range that the address lies in.
        range: Range,
        /// The address alone.
        address: Ipv4Addr,
    },
}

impl Range {
    /// The range of an address and a length from 8 to 32.
    const fn around(address: Ipv4Addr, prefix: u8) -> Self {
        let mask = u32::MAX << (32 - prefix);
        Self { base: Ipv4Addr::from_bits(address.to_bits() & mask), prefix }
    }

    /// Whether an address lies within.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        Self::around(address, self.prefix) == self
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(address) => address.fmt(f),
            Self::Within(range) => range.fmt(f),
            Self::On(interface) => interface.fmt(f),
        }
    }
}

impl FromStr for NodeAddress {
    type Err = BadNodeAddress;

    fn from_str(text: &str) -> Result<Self, BadNodeAddress> {
        if let Ok(address) = text.parse() {
            return if is_callable(address) { Ok(Self::Fixed(address)) } else { Err(uncallable(text)) };
        }
        if text.contains(':') {
            return Err(BadNodeAddress::Family(printable(text)));
        }
        if text.contains('/') {
            return range(text).map(Self::Within);
        }
        // Linux lets an interface be called `10.0.0.300`, but whoever writes that means an address.
        let interface = text.parse().ok().filter(|_| text.contains(|c: char| c.is_ascii_alphabetic()));
        interface.map(Self::On).ok_or_else(|| BadNodeAddress::Form(printable(text)))
    }
}

fn range(text: &str) -> Result<Range, BadNodeAddress> {
    let parts = text.split_once('/').and_then(|(address, prefix)| {
        let plain = prefix.starts_with(|c: char| c.is_ascii_digit() && c != '0');
        Some((address.parse().ok()?, prefix.parse().ok().filter(|prefix| plain && (8..=32).contains(prefix))?))
    });
    let (address, prefix): (Ipv4Addr, u8) = parts.ok_or_else(|| BadNodeAddress::Form(printable(text)))?;
    let range = Range::around(address, prefix);
    if !is_callable(range.base) {
        return Err(uncallable(text));
    }
    if range.base == address {
        return Ok(range);
    }
    Err(BadNodeAddress::HostBits { text: printable(text), range, address })
}

fn uncallable(text: &str) -> BadNodeAddress {
    BadNodeAddress::Uncallable(printable(text))
}

/// Kubelets refuse the others as a node's.
const fn is_callable(v4: Ipv4Addr) -> bool {
    !(v4.is_loopback() || v4.is_unspecified() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::NodeAddress;

    fn refusal(text: &str) -> String {
        text.parse::<NodeAddress>().unwrap_err().to_string()
    }

    #[test]
    fn each_form_is_told_from_the_others() {
        let read = |text: &str| text.parse::<NodeAddress>().unwrap();
        assert_eq!(read("10.0.0.7"), NodeAddress::Fixed([10, 0, 0, 7].into()));
        assert!(matches!(read("10.0.0.0/24"), NodeAddress::Within(_)));
        for interface in ["eth1", "enp0s31f6", "eth0.100", "br-lan", "fd00"] {
            assert!(matches!(read(interface), NodeAddress::On(_)), "{interface}");
        }
        for text in ["10.0.0.7", "10.0.0.0/24", "10.0.0.7/32", "eth1"] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_what_was_meant() {
        let form = |text: &str| {
            format!(
                "not a node's address: `{text}`; wanted: an IPv4 address, a range such as `10.0.0.0/24`, or an interface \
                 such as `eth1`"
            )
        };
        for text in [
            "",
            "10.0.0.300",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/0",
            "10.0/16",
            "a name",
            "a-name-too-long-for-one",
        ] {
            assert_eq!(refusal(text), form(text));
        }
        assert_eq!(refusal("10.0.0.7/24"), "not a range: `10.0.0.7/24`; did you mean `10.0.0.0/24` or `10.0.0.7`?");
        assert!(refusal("fd00::7").starts_with("`fd00::7` is IPv6: "));
        assert!(refusal("fd00::/64").starts_with("`fd00::/64` is IPv6: "));
        for text in ["127.0.0.1", "0.0.0.0", "169.254.3.4", "224.0.0.1", "127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8"] {
            assert_eq!(refusal(text), format!("not an address that others can call: `{text}`"));
        }
    }

    #[test]
    fn a_range_has_its_first_address_and_its_last() {
        let NodeAddress::Within(range) = "10.0.1.0/24".parse().unwrap() else { panic!("a range") };
        assert!(range.contains([10, 0, 1, 0].into()) && range.contains([10, 0, 1, 255].into()));
        assert!(!range.contains([10, 0, 0, 255].into()) && !range.contains([10, 0, 2, 0].into()));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_was(text in "[0-9a-z./:-]{0,20}") {
            if let Ok(address) = text.parse::<NodeAddress>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
