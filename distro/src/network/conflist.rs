//! What the runtime's plugins are told: the container network interface's configuration list, version 1.0.0.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{external::CONFIGURATION, subnet_file::Mtu};
use crate::{
    config::{DualStack, Provider, Runtime, Settings, Subnet, Subnet6},
    paths::Paths,
};

/// Who gives packets that leave the pod network the node's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The plugin, for everything that leaves the node's own part: right only where there is no other part.
    ByPlugin,
    /// A rule for the whole network ([`super::masquerade`]).
    ByRule,
}

/// A node's part of the pod network: one bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge<'a> {
    /// Where its pods get their addresses.
    pub subnet: Subnet,
    /// Where they get their IPv6 addresses, if they do.
    pub second: Option<Subnet6>,
    /// The largest packet that gets to other nodes; the kernel's choice if there are none.
    pub mtu: Option<Mtu>,
    /// Who masquerades.
    pub leaving: Leaving,
    /// The folder that remembers which addresses are given out.
    pub addresses: &'a Path,
}

/// The name of the configuration's file: runtimes take the first.
pub(super) const NAME: &str = "10-sk8s.conflist";

/// Where the configuration is written: for our own runtime where nobody else looks.
#[must_use]
pub fn path(settings: &Settings, paths: &Paths) -> PathBuf {
    match settings.runtime {
        Runtime::Own => paths.cni_config().join(NAME),
        Runtime::External(_) => Path::new(CONFIGURATION).join(NAME),
    }
}

/// Addresses given out are kept for the boot only: after it no pod of before is left.
pub(super) fn addresses(paths: &Paths) -> PathBuf {
    paths.run.join("addresses")
}

/// The configuration of a cluster's one node: the first part of the network, known before anything runs.
#[must_use]
pub fn single(settings: &Settings, second: Option<DualStack>, paths: &Paths) -> String {
    let (subnet, second) = (settings.pods.first(24), second.map(DualStack::first));
    let mtu = match &settings.provider {
        Provider::Flannel(flannel) => flannel.mtu.map(Mtu::from),
        Provider::Custom | Provider::None => None,
    };
    Bridge { subnet, second, mtu, leaving: Leaving::ByPlugin, addresses: &addresses(paths) }.conflist()
}

/// A network for nobody: with none at all, the node would count as not ready, though it runs pods on its own network.
#[must_use]
pub fn nobody() -> String {
    let list = json!({ "cniVersion": "1.0.0", "name": "none", "plugins": [{ "type": "loopback" }] });
    format!("{list:#}\n")
}

impl Bridge<'_> {
    /// The text of the configuration.
    #[must_use]
    pub fn conflist(&self) -> String {
        let ports = json!({
            "type": "portmap",
            "backend": "nftables",
            "capabilities": { "portMappings": true },
            "snat": true,
        });
        let list = json!({ "cniVersion": "1.0.0", "name": "sk8s", "plugins": [self.plugin(), ports] });
        format!("{list:#}\n")
    }

    fn plugin(&self) -> serde_json::Value {
        let mut ranges = vec![json!([{ "subnet": self.subnet.to_string() }])];
        let mut routes = vec![json!({ "dst": "0.0.0.0/0" })];
        if let Some(second) = self.second {
            ranges.push(json!([{ "subnet": second.to_string() }]));
            routes.push(json!({ "dst": "::/0" }));
        }
        let mut bridge = json!({
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": true,
            "ipMasq": false,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "dataDir": self.addresses,
                "ranges": ranges,
                "routes": routes,
            },
        });
        match self.leaving {
            Leaving::ByPlugin => {
                bridge["ipMasq"] = json!(true);
                bridge["ipMasqBackend"] = json!("nftables");
            }
            // A node object made anew may bring another subnet while the bridge of before is there.
            Leaving::ByRule => bridge["forceAddress"] = json!(true),
        }
        if let Some(mtu) = self.mtu {
            bridge["mtu"] = json!(mtu.bytes());
        }
        bridge
    }
}
