//! The node's name, addresses and accounts.

use std::{net::IpAddr, path::Path};

use nix::{errno::Errno, ifaddrs, unistd};
use skerry_formats::seed::Owner;

use super::fs;

/// A name that was refused.
#[derive(Debug, thiserror::Error)]
#[error("the kernel refused the name `{name}`")]
pub struct HostError {
    name: String,
    /// Why.
    #[source]
    pub source: Errno,
}

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The interface.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
}

/// The node's name now; empty if the kernel has none.
#[must_use]
pub fn name() -> String {
    unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default()
}

/// Names the node.
///
/// # Errors
/// If the kernel refuses.
pub fn set_name(name: &str) -> Result<(), HostError> {
    unistd::sethostname(name).map_err(|source| HostError { name: name.to_owned(), source })
}

/// Addresses on interfaces with hardware behind them by which others reach the node; those of the pod network are not
/// among them. Sorted, IPv4 first.
#[must_use]
pub fn addresses() -> Vec<Address> {
    let Ok(all) = ifaddrs::getifaddrs() else { return Vec::new() };
    let mut found: Vec<Address> = all
        .filter_map(|entry| {
            let storage = entry.address?;
            let v4 = storage.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
            let v6 = storage.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip()));
            let address = v4.or(v6).filter(|address| reachable(*address))?;
            let hardware = Path::new("/sys/class/net").join(&entry.interface_name).join("device");
            fs::exists(&hardware).then_some(Address { interface: entry.interface_name, address })
        })
        .collect();
    found.sort_by_key(|found| (found.address.is_ipv6(), found.clone()));
    found.dedup();
    found
}

fn reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// The numbers of a user and a group in the image; the group is the user's own if none is named.
#[must_use]
pub fn account(owner: &Owner) -> Option<(u32, u32)> {
    let (user, group) = owner.as_str().split_once(':').map_or((owner.as_str(), None), |(u, g)| (u, Some(g)));
    let passwd = fs::read_text(Path::new("/etc/passwd")).ok()?;
    let user = fields(&passwd, user)?;
    let group = match group {
        None => user.get(3)?.parse().ok()?,
        Some(group) => fields(&fs::read_text(Path::new("/etc/group")).ok()?, group)?.get(2)?.parse().ok()?,
    };
    Some((user.get(2)?.parse().ok()?, group))
}

fn fields(table: &str, name: &str) -> Option<Vec<String>> {
    let mut lines = table.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
    lines.find(|fields| fields.first().is_some_and(|first| first == name) || fields.get(2).is_some_and(|id| id == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name_and_number() {
        for owner in ["root", "root:root", "0:0"] {
            assert_eq!(account(&owner.parse().unwrap()), Some((0, 0)), "{owner}");
        }
        assert_eq!(account(&"nobody-at-all".parse().unwrap()), None);
    }

    #[test]
    fn loopback_and_link_local_addresses_reach_nobody() {
        for address in ["127.0.0.1", "169.254.1.1", "::1", "fe80::1", "0.0.0.0"] {
            assert!(!reachable(address.parse().unwrap()), "{address}");
        }
        assert!(reachable("10.0.2.15".parse().unwrap()) && reachable("fd00::5".parse().unwrap()));
    }
}
