//! IPv6 beside IPv4: `spec.network.dualStack`.

use serde::{Deserialize, Serialize};

use super::super::subnet::{BadSubnet, Subnet6};

/// The second addresses of pods and services. The first are always IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DualStack {
    /// Where pods get them.
    pub pods: Subnet6,
    /// Where services that ask for one get them.
    pub services: Subnet6,
}

/// `spec.network.dualStack` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDualStack {
    /// Whether there is IPv6 at all.
    pub enabled: Option<bool>,
    /// Where pods get their IPv6 addresses.
    #[serde(rename = "IPv6podCIDR")]
    pub pods: Option<String>,
    /// Where services get their IPv6 addresses.
    #[serde(rename = "IPv6serviceCIDR")]
    pub services: Option<String>,
}

/// A second family that cannot be. Display begins with the key below `spec.network`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadDualStack {
    /// A range of addresses.
    #[error("dualStack.{key}")]
    Subnet {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        #[source]
        source: BadSubnet,
    },
    /// Too many or too few addresses.
    #[error("dualStack.{key}: `{range}` is of {} bits; wanted: {least} to {most}", .range.prefix())]
    Size {
        /// Which key.
        key: &'static str,
        /// The range.
        range: Subnet6,
        /// The shortest prefix.
        least: u8,
        /// The longest.
        most: u8,
    },
    /// Pods and services would share addresses.
    #[error("dualStack.IPv6podCIDR `{pods}` and dualStack.IPv6serviceCIDR `{services}` overlap")]
    Overlap {
        /// Pods.
        pods: Subnet6,
        /// Services.
        services: Subnet6,
    },
    /// Ranges that nothing would use.
    #[error("dualStack: without effect without `enabled: true`")]
    NotEnabled,
}

impl DualStack {
    /// Checks `spec.network.dualStack`; `None` where there is no IPv6.
    ///
    /// # Errors
    /// The first value that cannot be.
    pub fn validate(raw: &RawDualStack) -> Result<Option<Self>, BadDualStack> {
        if raw.enabled != Some(true) {
            let ranges = raw.pods.is_some() || raw.services.is_some();
            return if ranges { Err(BadDualStack::NotEnabled) } else { Ok(None) };
        }
        let pods = range("IPv6podCIDR", raw.pods.as_deref().unwrap_or("fd00:10:244::/56"), (40, 112))?;
        let services = range("IPv6serviceCIDR", raw.services.as_deref().unwrap_or("fd00:10:96::/112"), (108, 120))?;
        if pods.overlaps(services) {
            Err(BadDualStack::Overlap { pods, services })
        } else {
            Ok(Some(Self { pods, services }))
        }
    }

    /// The length of the prefix of one node's part. kube-controller-manager hands out at most 2^16 of them.
    #[must_use]
    pub fn node_prefix(self) -> u8 {
        let pods = self.pods.prefix();
        if pods < 64 { (pods + 16).min(64) } else { (pods + 9).min(120) }
    }

    /// The part of the pods' addresses that the only node of a cluster has.
    #[must_use]
    pub fn first(self) -> Subnet6 {
        self.pods.first(self.node_prefix())
    }
}

fn range(key: &'static str, text: &str, (least, most): (u8, u8)) -> Result<Subnet6, BadDualStack> {
    let range: Subnet6 = text.parse().map_err(|source| BadDualStack::Subnet { key, source })?;
    if (least..=most).contains(&range.prefix()) {
        Ok(range)
    } else {
        Err(BadDualStack::Size { key, range, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::{DualStack, RawDualStack};

    fn dual(yaml: &str) -> Result<Option<DualStack>, String> {
        let raw = serde_yaml_ng::from_str::<RawDualStack>(yaml).expect("well-formed");
        DualStack::validate(&raw).map_err(|bad| crate::supervisor::chain(&bad))
    }

    #[test]
    fn there_is_none_unless_it_is_asked_for() {
        assert_eq!(dual("{}"), Ok(None));
        assert_eq!(dual("{enabled: false}"), Ok(None));
        let refused = dual("{IPv6podCIDR: 'fd00::/108'}").expect_err("without effect");
        assert_eq!(refused, "dualStack: without effect without `enabled: true`");
    }

    #[test]
    fn a_node_has_64_bits_of_a_large_range_and_k0s_share_of_a_small_one() {
        let first = |yaml: &str| dual(yaml).expect("valid").expect("some").first().to_string();
        assert_eq!(first("{enabled: true}"), "fd00:10:244::/64");
        assert_eq!(first("{enabled: true, IPv6podCIDR: 'fd00::/108', IPv6serviceCIDR: 'fd01::/108'}"), "fd00::/117");
        assert_eq!(first("{enabled: true, IPv6podCIDR: 'fd12::/40'}"), "fd12::/56");
    }

    #[test]
    fn ranges_that_kubernetes_would_refuse_are_refused_here() {
        let refused = |yaml: &str| dual(yaml).expect_err("refused");
        let text = refused("{enabled: true, IPv6serviceCIDR: 'fd00::/64'}");
        assert_eq!(text, "dualStack.IPv6serviceCIDR: `fd00::/64` is of 64 bits; wanted: 108 to 120");
        assert!(refused("{enabled: true, IPv6podCIDR: 10.0.0.0/8}").starts_with("dualStack.IPv6podCIDR: not an IPv6"));
        assert!(refused("{enabled: true, IPv6podCIDR: 'fd00:10:96::/64'}").ends_with("overlap"));
    }
}
