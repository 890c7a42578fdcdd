//! IPv4 networks in CIDR notation.

use std::{fmt, net::Ipv4Addr, str::FromStr};

/// An IPv4 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    base: u32,
    prefix: u8,
}

/// Text that is no network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an IPv4 network: `{0}`; wanted: an address and a length from 8 to 29, as in `10.244.0.0/16`")]
pub struct BadSubnet(String);

impl Subnet {
    /// The length of its prefix in bits, 8 to 29.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The address `index` places after the network's own.
    #[must_use]
    pub fn address(self, index: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.base | (index & !self.mask()))
    }

    /// Whether the two share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let mask = self.mask() & other.mask();
        self.base & mask == other.base & mask
    }

    /// Whether an address lies within.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == self.base
    }

    /// Its first network of at least `prefix` bits: the part that one node's pods get.
    #[must_use]
    pub fn first(self, prefix: u8) -> Self {
        Self { base: self.base, prefix: self.prefix.max(prefix) }
    }

    const fn mask(self) -> u32 {
        u32::MAX << (32 - self.prefix)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        let bad = || BadSubnet(text.chars().take(60).collect());
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        let address: Ipv4Addr = address.parse().map_err(|_| bad())?;
        let prefix: u8 = prefix.parse().map_err(|_| bad())?;
        if !(8..=29).contains(&prefix) {
            return Err(bad());
        }
        let subnet = Self { base: u32::from(address), prefix };
        Ok(Self { base: subnet.base & subnet.mask(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Subnet;

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!("10.244.3.7/16".parse::<Subnet>().expect("valid").to_string(), "10.244.0.0/16");
    }

    #[test]
    fn a_nodes_part_is_the_first_24() {
        let pods: Subnet = "10.244.0.0/16".parse().expect("valid");
        assert_eq!(pods.first(24).to_string(), "10.244.0.0/24");
        assert_eq!(pods.first(24).address(1).to_string(), "10.244.0.1");
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC{0,24}") {
            if let Ok(subnet) = text.parse::<Subnet>() {
                prop_assert_eq!(subnet.to_string().parse::<Subnet>().expect("its own text"), subnet);
            }
        }

        #[test]
        fn overlap_is_sharing_an_address(a: u32, b: u32, p in 8u8..=29, q in 8u8..=29) {
            let (a, b) = (std::net::Ipv4Addr::from(a), std::net::Ipv4Addr::from(b));
            let x: Subnet = format!("{a}/{p}").parse().expect("valid");
            let y: Subnet = format!("{b}/{q}").parse().expect("valid");
            prop_assert_eq!(x.overlaps(y), x.contains(y.address(0)) || y.contains(x.address(0)));
            prop_assert!(x.contains(a));
        }
    }
}
