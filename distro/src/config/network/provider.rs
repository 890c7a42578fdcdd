//! Who connects pods: `spec.network.provider` and `spec.network.flannel`.

use serde::{Deserialize, Serialize};
use skerry_formats::hint;

use super::RawNetwork;

/// Who connects pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// sk8s, with flannel as a process of the host.
    Flannel(Flannel),
    /// The owner, with whatever puts programs into `/opt/cni/bin` and configuration into `/etc/cni/net.d`.
    Custom,
    /// Nobody: pods run on their node's own network or not at all.
    None,
}

/// flannel's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flannel {
    /// How packets reach another node.
    pub backend: Backend,
    /// Bytes of the largest packet of a pod; found out from the node's interface if `None`.
    pub mtu: Option<u16>,
}

/// How packets reach another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// In UDP datagrams.
    Vxlan {
        /// UDP port.
        port: u16,
        /// Network identifier, 1 to 16777215.
        vni: u32,
    },
    /// As they are, over routes: for nodes on one link.
    HostGw,
}

/// `spec.network.flannel` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFlannel {
    /// `vxlan` or `host-gw`.
    pub backend: Option<String>,
    /// Bytes of the largest packet of a pod.
    pub mtu: Option<u32>,
    /// UDP port of vxlan.
    pub port: Option<u32>,
    /// Network identifier of vxlan.
    pub vni: Option<u32>,
}

/// A provider that cannot be. Display begins with the key below `spec.network`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadProvider {
    /// One of k0s's own.
    #[error("provider: `{0}` is not part of sk8s: use `flannel`, or `custom` and install {0} from its own manifests")]
    Foreign(String),
    /// None that is known.
    #[error("provider: unknown: `{name}`; known: `flannel`, `custom`, `none`{}",
        .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// What was written.
        name: String,
        /// The known one nearest to it.
        near: Option<&'static str>,
    },
    /// Settings of flannel without it.
    #[error("flannel: given, but the provider is `{0}`")]
    WithoutFlannel(String),
    /// No backend.
    #[error("flannel.backend: unknown: `{0}`; known: `vxlan`, `host-gw`")]
    Backend(String),
    /// Settings of vxlan without it.
    #[error("flannel.{0}: without effect with backend `host-gw`")]
    WithoutVxlan(&'static str),
    /// A number that is too small or too large.
    #[error("flannel.{key}: `{value}` is not {wanted}")]
    Range {
        /// Which key.
        key: &'static str,
        /// What was written.
        value: u32,
        /// What can be.
        wanted: &'static str,
    },
}

impl Provider {
    /// Checks `spec.network.provider` and what belongs to it.
    ///
    /// # Errors
    /// Every value that cannot be.
    pub fn validate(raw: &RawNetwork) -> Result<Self, Vec<BadProvider>> {
        let name = raw.provider.as_deref().unwrap_or("flannel");
        let other = |provider| match raw.flannel == RawFlannel::default() {
            true => Ok(provider),
            false => Err(vec![BadProvider::WithoutFlannel(name.to_owned())]),
        };
        match name {
            "flannel" => flannel(&raw.flannel).map(Self::Flannel),
            "custom" => other(Self::Custom),
            "none" => other(Self::None),
            "kuberouter" | "calico" => Err(vec![BadProvider::Foreign(name.to_owned())]),
            other => {
                let near = hint::nearest(other, ["flannel", "custom", "none"]);
                Err(vec![BadProvider::Unknown { name: other.to_owned(), near }])
            }
        }
    }
}

fn flannel(raw: &RawFlannel) -> Result<Flannel, Vec<BadProvider>> {
    let mut problems = Vec::new();
    let mut range = |key, value: Option<u32>, (low, high, wanted): (u32, u32, &'static str)| {
        let bad = value.filter(|value| !(low..=high).contains(value));
        problems.extend(bad.map(|value| BadProvider::Range { key, value, wanted }));
        value
    };
    let mtu = range("mtu", raw.mtu, (576, 65_535, "from 576 to 65535"));
    let port = range("port", raw.port, (1, 65_535, "a port"));
    let vni = range("vni", raw.vni, (1, 0xFF_FFFF, "from 1 to 16777215"));
    let backend = match raw.backend.as_deref().unwrap_or("vxlan") {
        "vxlan" => {
            let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(8472);
            Backend::Vxlan { port, vni: vni.unwrap_or(1) }
        }
        "host-gw" => {
            let unused = [("port", port), ("vni", vni)].into_iter().filter(|(_, value)| value.is_some());
            problems.extend(unused.map(|(key, _)| BadProvider::WithoutVxlan(key)));
            Backend::HostGw
        }
        other => {
            problems.push(BadProvider::Backend(other.to_owned()));
            Backend::HostGw
        }
    };
    let mtu = mtu.and_then(|mtu| u16::try_from(mtu).ok());
    if problems.is_empty() { Ok(Flannel { backend, mtu }) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::{Backend, BadProvider, Flannel, Provider};

    fn provider(yaml: &str) -> Result<Provider, Vec<BadProvider>> {
        Provider::validate(&serde_yaml_ng::from_str(yaml).expect("well-formed"))
    }

    fn refusal(yaml: &str) -> String {
        provider(yaml).expect_err("refused").iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn flannel_has_two_backends() {
        let wanted = Flannel { backend: Backend::Vxlan { port: 4789, vni: 4096 }, mtu: Some(1400) };
        assert_eq!(provider("{flannel: {port: 4789, vni: 4096, mtu: 1400}}"), Ok(Provider::Flannel(wanted)));
        let wanted = Flannel { backend: Backend::HostGw, mtu: None };
        assert_eq!(provider("{flannel: {backend: host-gw}}"), Ok(Provider::Flannel(wanted)));
        assert_eq!(
            refusal("{flannel: {backend: wireguard}}"),
            "flannel.backend: unknown: `wireguard`; known: `vxlan`, `host-gw`"
        );
        assert_eq!(
            refusal("{flannel: {backend: host-gw, vni: 2}}"),
            "flannel.vni: without effect with backend `host-gw`"
        );
    }

    #[test]
    fn k0s_own_providers_come_with_a_way_out() {
        let text = "provider: `calico` is not part of sk8s: use `flannel`, or `custom` and install calico from its own manifests";
        assert_eq!(refusal("{provider: calico}"), text);
        assert!(refusal("{provider: kuberouter}").contains("`flannel`"));
        assert!(refusal("{provider: flanel}").ends_with("did you mean `flannel`?"));
    }

    #[test]
    fn numbers_have_bounds() {
        let text = "flannel.mtu: `100` is not from 576 to 65535\nflannel.port: `0` is not a port\n\
                    flannel.vni: `16777216` is not from 1 to 16777215";
        assert_eq!(refusal("{flannel: {mtu: 100, port: 0, vni: 16777216}}"), text);
    }

    #[test]
    fn flannels_settings_need_flannel() {
        assert_eq!(provider("{provider: custom}"), Ok(Provider::Custom));
        assert_eq!(provider("{provider: none}"), Ok(Provider::None));
        assert_eq!(refusal("{provider: custom, flannel: {mtu: 1400}}"), "flannel: given, but the provider is `custom`");
    }
}
