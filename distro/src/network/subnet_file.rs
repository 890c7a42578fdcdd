//! The file in which flannel tells what it made of a node's part of the network.

use crate::config::{Subnet, Subnet6};

/// The size of the largest packet, in bytes with its IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mtu(u32);

impl From<u16> for Mtu {
    fn from(bytes: u16) -> Self {
        Self(bytes.into())
    }
}

impl Mtu {
    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0
    }
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubnetFile {
    /// The node's part of the network.
    pub subnet: Subnet,
    /// The same in IPv6, if there is.
    pub second: Option<Subnet6>,
    /// The largest packet that gets to other nodes.
    pub mtu: Mtu,
}

/// A text that flannel did not write.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("flannel's subnet file: no good `{0}`")]
pub struct BadSubnetFile(&'static str);

const SECOND: &str = "FLANNEL_IPV6_SUBNET";

impl SubnetFile {
    /// Reads `KEY=value` lines; those that do not matter here are passed over. `FLANNEL_SUBNET` is the bridge's own
    /// address with the length of the part's prefix.
    ///
    /// # Errors
    /// Names the first key that is missing or whose value cannot be: RFC 791 wants at least 68 bytes of every link.
    pub fn parse(text: &str) -> Result<Self, BadSubnetFile> {
        let found = |key: &'static str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
        };
        let value = |key| found(key).ok_or(BadSubnetFile(key));
        let second = found(SECOND).map(|text| text.parse().map_err(|_| BadSubnetFile(SECOND))).transpose()?;
        let subnet = value("FLANNEL_SUBNET")?;
        let mtu = value("FLANNEL_MTU")?.parse().ok().filter(|mtu| (68..=65_535).contains(mtu));
        Ok(Self {
            subnet: subnet.parse().map_err(|_| BadSubnetFile("FLANNEL_SUBNET"))?,
            second,
            mtu: Mtu(mtu.ok_or(BadSubnetFile("FLANNEL_MTU"))?),
        })
    }
}
