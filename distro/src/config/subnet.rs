//! Networks in CIDR notation, of one family of addresses each.

use std::{
    fmt,
    marker::PhantomData,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A family of addresses.
pub trait Family: Copy + fmt::Display + FromStr {
    /// Bits of an address.
    const BITS: u8;
    /// The lengths of prefixes that a network may have.
    const PREFIXES: std::ops::RangeInclusive<u8>;
    /// What a text should have been.
    const WANTED: Wanted;

    /// An address as a number.
    fn number(self) -> u128;
    /// An address from a number of no more than its bits.
    fn of(number: u128) -> Self;
}

/// What a text should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    family: &'static str,
    form: &'static str,
}

impl Family for Ipv4Addr {
    const BITS: u8 = 32;
    const PREFIXES: std::ops::RangeInclusive<u8> = 8..=29;
    const WANTED: Wanted =
        Wanted { family: "IPv4", form: "an address and a length from 8 to 29, as in `10.244.0.0/16`" };

    fn number(self) -> u128 {
        u32::from(self).into()
    }

    fn of(number: u128) -> Self {
        Self::from(u32::try_from(number).unwrap_or_default())
    }
}

impl Family for Ipv6Addr {
    const BITS: u8 = 128;
    const PREFIXES: std::ops::RangeInclusive<u8> = 8..=124;
    const WANTED: Wanted = Wanted { family: "IPv6", form: "an address and a length, as in `fd00:10:244::/56`" };

    fn number(self) -> u128 {
        self.into()
    }

    fn of(number: u128) -> Self {
        number.into()
    }
}

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net<A> {
    base: u128,
    prefix: u8,
    family: PhantomData<A>,
}

/// An IPv4 network.
pub type Subnet = Net<Ipv4Addr>;
/// An IPv6 network.
pub type Subnet6 = Net<Ipv6Addr>;

/// Text that is no network of the family that is wanted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an {} network: `{text}`; wanted: {}", .wanted.family, .wanted.form)]
pub struct BadSubnet {
    text: String,
    wanted: Wanted,
}

impl<A: Family> Net<A> {
    const fn new(base: u128, prefix: u8) -> Self {
        Self { base, prefix, family: PhantomData }
    }

    /// The length of its prefix in bits.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The address `index` places after the network's own.
    #[must_use]
    pub fn address(self, index: u32) -> A {
        A::of(self.base | (u128::from(index) & !self.mask()))
    }

    /// Whether the two share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let mask = self.mask() & other.mask();
        self.base & mask == other.base & mask
    }

    /// Whether an address lies within.
    #[must_use]
    pub fn contains(self, address: A) -> bool {
        address.number() & self.mask() == self.base
    }

    /// Its first network of at least `prefix` bits: the part that one node's pods get.
    #[must_use]
    pub fn first(self, prefix: u8) -> Self {
        Self::new(self.base, self.prefix.max(prefix))
    }

    /// Above the bits of an address it is all ones, and numbers all zeros.
    const fn mask(self) -> u128 {
        u128::MAX << (A::BITS - self.prefix)
    }
}

impl<A: Family> fmt::Display for Net<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", A::of(self.base), self.prefix)
    }
}

impl<A: Family> FromStr for Net<A> {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        parse(text).ok_or_else(|| BadSubnet { text: text.chars().take(60).collect(), wanted: A::WANTED })
    }
}

fn parse<A: Family>(text: &str) -> Option<Net<A>> {
    let (address, prefix) = text.split_once('/')?;
    let address: A = address.parse().ok()?;
    let prefix: u8 = prefix.parse().ok().filter(|prefix| A::PREFIXES.contains(prefix))?;
    let number = address.number();
    // An IPv4 address in disguise.
    if A::BITS > 32 && Ipv6Addr::from(number).to_ipv4_mapped().is_some() {
        return None;
    }
    let net = Net::<A>::new(number, prefix);
    Some(Net::new(number & net.mask(), prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Subnet, Subnet6};

    fn subnet6(text: &str) -> Subnet6 {
        text.parse().expect("valid")
    }

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!("10.244.3.7/16".parse::<Subnet>().expect("valid").to_string(), "10.244.0.0/16");
        assert_eq!(subnet6("fd00:10:244::7/56").to_string(), "fd00:10:244::/56");
        assert_eq!(subnet6("fd00:10:244::/56").first(64).to_string(), "fd00:10:244::/64");
    }

    #[test]
    fn a_nodes_part_is_the_first_24() {
        let pods: Subnet = "10.244.0.0/16".parse().expect("valid");
        assert_eq!(pods.first(24).to_string(), "10.244.0.0/24");
        assert_eq!(pods.first(24).address(1).to_string(), "10.244.0.1");
    }

    #[test]
    fn an_ipv4_network_in_disguise_is_none() {
        for text in ["::ffff:10.0.0.0/104", "10.0.0.0/8", "fd00::/125", "fd00::/0", "fd00::"] {
            assert!(text.parse::<Subnet6>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wanted_is_told() {
        let refused = |error: super::BadSubnet| error.to_string();
        assert_eq!(
            refused("x".parse::<Subnet>().expect_err("no network")),
            "not an IPv4 network: `x`; wanted: an address and a length from 8 to 29, as in `10.244.0.0/16`"
        );
        assert_eq!(
            refused("x".parse::<Subnet6>().expect_err("no network")),
            "not an IPv6 network: `x`; wanted: an address and a length, as in `fd00:10:244::/56`"
        );
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC{0,24}") {
            if let Ok(subnet) = text.parse::<Subnet>() {
                prop_assert_eq!(subnet.to_string().parse::<Subnet>().expect("its own text"), subnet);
            }
        }

        #[test]
        fn any_text_parses_or_is_refused_in_the_other_family(text in "[0-9a-f:/]{0,24}") {
            if let Ok(subnet) = text.parse::<Subnet6>() {
                prop_assert_eq!(subnet.to_string().parse::<Subnet6>().expect("its own text"), subnet);
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

        #[test]
        fn overlap_is_sharing_an_address_in_the_other_family(a: u128, b: u128, p in 8u8..=124, q in 8u8..=124) {
            let (a, b) = (std::net::Ipv6Addr::from(a), std::net::Ipv6Addr::from(b));
            prop_assume!(a.to_ipv4_mapped().is_none() && b.to_ipv4_mapped().is_none());
            let (x, y) = (subnet6(&format!("{a}/{p}")), subnet6(&format!("{b}/{q}")));
            prop_assert_eq!(x.overlaps(y), x.contains(y.address(0)) || y.contains(x.address(0)));
            prop_assert!(x.contains(a));
        }
    }
}
