//! IPv6 networks in CIDR notation.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// An IPv6 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet6 {
    base: u128,
    prefix: u8,
}

/// Text that is no network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an IPv6 network: `{0}`; wanted: an address and a length, as in `fd00:10:244::/56`")]
pub struct BadSubnet6(String);

impl Subnet6 {
    /// The length of its prefix in bits, 8 to 124.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the two share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let mask = self.mask() & other.mask();
        self.base & mask == other.base & mask
    }

    /// Whether an address lies within.
    #[must_use]
    pub fn contains(self, address: Ipv6Addr) -> bool {
        u128::from(address) & self.mask() == self.base
    }

    /// Its first network of at least `prefix` bits.
    #[must_use]
    pub fn first(self, prefix: u8) -> Self {
        Self { base: self.base, prefix: self.prefix.max(prefix) }
    }

    const fn mask(self) -> u128 {
        u128::MAX << (128 - self.prefix)
    }
}

impl fmt::Display for Subnet6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv6Addr::from(self.base), self.prefix)
    }
}

impl FromStr for Subnet6 {
    type Err = BadSubnet6;

    fn from_str(text: &str) -> Result<Self, BadSubnet6> {
        let bad = || BadSubnet6(text.chars().take(60).collect());
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
        let prefix: u8 = prefix.parse().map_err(|_| bad())?;
        if !(8..=124).contains(&prefix) || address.to_ipv4_mapped().is_some() {
            return Err(bad());
        }
        let subnet = Self { base: u128::from(address), prefix };
        Ok(Self { base: subnet.base & subnet.mask(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Subnet6;

    fn subnet(text: &str) -> Subnet6 {
        text.parse().expect("valid")
    }

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!(subnet("fd00:10:244::7/56").to_string(), "fd00:10:244::/56");
        assert_eq!(subnet("fd00:10:244::/56").first(64).to_string(), "fd00:10:244::/64");
    }

    #[test]
    fn an_ipv4_network_in_disguise_is_none() {
        for text in ["::ffff:10.0.0.0/104", "10.0.0.0/8", "fd00::/125", "fd00::/0", "fd00::"] {
            assert!(text.parse::<Subnet6>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "[0-9a-f:/]{0,24}") {
            if let Ok(subnet) = text.parse::<Subnet6>() {
                prop_assert_eq!(subnet.to_string().parse::<Subnet6>().expect("its own text"), subnet);
            }
        }

        #[test]
        fn overlap_is_sharing_an_address(a: u128, b: u128, p in 8u8..=124, q in 8u8..=124) {
            let (x, y) = (Subnet6 { base: a, prefix: p }, Subnet6 { base: b, prefix: q });
            let (x, y) = (subnet(&x.to_string()), subnet(&y.to_string()));
            prop_assert_eq!(x.overlaps(y), x.contains(y.base.into()) || y.contains(x.base.into()));
            prop_assert!(x.contains(a.into()));
        }
    }
}
