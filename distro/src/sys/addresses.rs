//! The machine's addresses, and which of them is its node's.

use std::{
    cmp::Ordering,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

use skerry_formats::node_address::NodeAddress;

/// An address, with the interface that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The interface's name.
    pub interface: String,
    /// The address.
    pub ip: IpAddr,
}

/// A node's addresses among its machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Where others reach it.
    pub first: Ipv4Addr,
    /// The IPv6 address of the interface that has the first.
    pub second: Option<Ipv6Addr>,
}

/// Chooses as the owner wishes. Of several that fit, it is the one that the default route sends from, or else the first. `None`
/// while none fits.
#[must_use]
pub fn choose(held: &[Held], wish: Option<&NodeAddress>, route: Option<Ipv4Addr>) -> Option<Chosen> {
    let fitting = |held: &&Held| match (held.ip, wish) {
        (IpAddr::V6(_), _) => false,
        (IpAddr::V4(_), None) => true,
        (IpAddr::V4(v4), Some(NodeAddress::Fixed(wanted))) => v4 == *wanted,
        (IpAddr::V4(v4), Some(NodeAddress::Within(range))) => range.contains(v4),
        (IpAddr::V4(_), Some(NodeAddress::On(interface))) => held.interface == interface.as_str(),
    };
    let sends = |held: &&Held| route.is_some_and(|route| held.ip == route);
    let found = held.iter().filter(fitting).find(sends).or_else(|| held.iter().find(fitting))?;
    let beside = held.iter().filter(|held| held.interface == found.interface).find_map(|held| match held.ip {
        IpAddr::V6(v6) => Some(v6),
        IpAddr::V4(_) => None,
    });
    match found.ip {
        IpAddr::V4(first) => Some(Chosen { first, second: beside }),
        IpAddr::V6(_) => None,
    }
}

/// What a node waits for while no address fits.
#[must_use]
pub fn sought(wish: Option<&NodeAddress>) -> String {
    match wish {
        None => "a network address".to_owned(),
        Some(NodeAddress::Fixed(address)) => format!("the address {address}"),
        Some(NodeAddress::Within(range)) => format!("an address in {range}"),
        Some(NodeAddress::On(interface)) => format!("an IPv4 address on `{interface}`"),
    }
}

/// Interfaces that carry pods: their addresses are not the node's.
const POD_INTERFACES: [&str; 3] = ["cni", "flannel", "veth"];

/// The addresses that others may call, by interface.
pub(super) fn held() -> Vec<Held> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    let mut found: Vec<Held> = interfaces
        .filter(|interface| !POD_INTERFACES.iter().any(|name| interface.interface_name.starts_with(name)))
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            let ip = v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))?;
            Some(Held { interface: interface_of(&interface.interface_name), ip })
        })
        .filter(|held| !held.ip.is_loopback() && !held.ip.is_unspecified() && !is_link_local(held.ip))
        .collect();
    order(&mut found);
    found
}

/// An address may have a label of its own, which is its interface's name, a colon and more (ip-address(8)).
fn interface_of(label: &str) -> String {
    label.split(':').next().unwrap_or_default().to_owned()
}

/// Interfaces by name, and of each IPv4 before IPv6. The kernel names IPv4 addresses in the order in which they came, which is
/// kept: one that moves between machines, as keepalived and kube-vip have it, is behind the machine's own.
fn order(held: &mut [Held]) {
    held.sort_by(|a, b| {
        a.interface.cmp(&b.interface).then_with(|| match (a.ip, b.ip) {
            (IpAddr::V4(_), IpAddr::V4(_)) => Ordering::Equal,
            (a, b) => a.cmp(&b),
        })
    });
}

const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// The address that the default route would send from: connecting a datagram socket sends nothing.
pub(super) fn route() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, choose, interface_of, order, sought};

    const MACHINE: [(&str, &str); 6] = [
        ("eth0", "203.0.113.7"),
        ("eth0", "2001:db8::7"),
        ("eth1", "10.0.0.7"),
        ("eth1", "10.0.0.2"),
        ("eth1", "fd00::7"),
        ("eth2", "fd98::7"),
    ];

    fn held(addresses: &[(&str, &str)]) -> Vec<Held> {
        let one = |(interface, ip): &(&str, &str)| Held {
            interface: (*interface).to_owned(),
            ip: ip.parse().expect("an address"),
        };
        addresses.iter().map(one).collect()
    }

    /// The two addresses in one text, or what is waited for.
    fn chosen(addresses: &[(&str, &str)], wish: &str, route: &str) -> String {
        let wish = (!wish.is_empty()).then(|| wish.parse().expect("a wish"));
        choose(&held(addresses), wish.as_ref(), route.parse().ok()).map_or_else(
            || sought(wish.as_ref()),
            |chosen| {
                let second = chosen.second.map(|v6| format!(",{v6}")).unwrap_or_default();
                format!("{}{second}", chosen.first)
            },
        )
    }

    #[test]
    fn without_a_wish_it_is_the_default_routes_or_the_first() {
        assert_eq!(chosen(&MACHINE, "", "10.0.0.2"), "10.0.0.2,fd00::7");
        assert_eq!(chosen(&MACHINE, "", ""), "203.0.113.7,2001:db8::7");
        assert_eq!(chosen(&MACHINE, "", "192.0.2.9"), "203.0.113.7,2001:db8::7", "an address that is not held");
        assert_eq!(chosen(&MACHINE[5..], "", ""), "a network address", "IPv6 alone is none");
    }

    #[test]
    fn a_wish_goes_before_the_default_route() {
        assert_eq!(chosen(&MACHINE, "10.0.0.2", "203.0.113.7"), "10.0.0.2,fd00::7");
        assert_eq!(chosen(&MACHINE, "10.0.0.0/24", "203.0.113.7"), "10.0.0.7,fd00::7");
        assert_eq!(chosen(&MACHINE, "eth1", "203.0.113.7"), "10.0.0.7,fd00::7");
        assert_eq!(chosen(&MACHINE, "eth0", ""), "203.0.113.7,2001:db8::7");
    }

    #[test]
    fn of_several_that_fit_it_is_the_default_routes() {
        assert_eq!(chosen(&MACHINE, "10.0.0.0/24", "10.0.0.2"), "10.0.0.2,fd00::7");
        assert_eq!(chosen(&MACHINE, "eth1", "10.0.0.2"), "10.0.0.2,fd00::7");
    }

    #[test]
    fn what_is_not_there_yet_is_named() {
        assert_eq!(chosen(&MACHINE, "10.0.0.9", "10.0.0.2"), "the address 10.0.0.9");
        assert_eq!(chosen(&MACHINE, "10.1.0.0/16", "10.0.0.2"), "an address in 10.1.0.0/16");
        assert_eq!(chosen(&MACHINE, "eth2", "10.0.0.2"), "an IPv4 address on `eth2`", "it has IPv6 alone");
        assert_eq!(chosen(&MACHINE, "eth9", "10.0.0.2"), "an IPv4 address on `eth9`");
        assert_eq!(chosen(&[], "", ""), "a network address");
    }

    #[test]
    fn the_second_address_is_on_the_firsts_interface() {
        let held = [("eth0", "192.0.2.7"), ("eth0", "fd99::7"), ("eth1", "198.51.100.7"), ("eth2", "fd98::7")];
        assert_eq!(chosen(&held, "192.0.2.7", ""), "192.0.2.7,fd99::7");
        assert_eq!(chosen(&held, "198.51.100.7", ""), "198.51.100.7");
    }

    #[test]
    fn an_address_that_came_later_is_behind_though_its_number_is_lower() {
        let mut found = held(&[
            ("eth1", "fd00::9"),
            ("eth1", "10.0.0.7"),
            ("eth0", "192.0.2.7"),
            ("eth1", "10.0.0.2"),
            ("eth1", "fd00::7"),
        ]);
        order(&mut found);
        let wanted = [
            ("eth0", "192.0.2.7"),
            ("eth1", "10.0.0.7"),
            ("eth1", "10.0.0.2"),
            ("eth1", "fd00::7"),
            ("eth1", "fd00::9"),
        ];
        assert_eq!(found, held(&wanted));
    }

    #[test]
    fn a_label_is_not_taken_for_an_interface() {
        assert_eq!([interface_of("eth0:vip"), interface_of("eth0.100")], ["eth0", "eth0.100"]);
    }
}
