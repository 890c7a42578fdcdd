//! containerd, and the pod network that it sets up.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Plan, Rendered, memory,
    spec::{ComponentId, ComponentSpec, KillScope, Probe},
};
use crate::{
    config::{Flannel, Provider},
    sys::machine::OomControl,
};

const ID: ComponentId = ComponentId::Containerd;

/// Reads `images.json`: the names by which the built-in images are known, each with its reference.
///
/// # Errors
/// If the text is no JSON object of strings.
pub fn images(json: &str) -> Result<BTreeMap<String, String>, serde_json::Error> {
    serde_json::from_str(json)
}

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let mut env = memory::environment(ID, plan.machine);
    env.push(("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", plan.paths.components.display())));
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("containerd"),
        args: vec![format!("--config={}", plan.own(ID, "config.toml"))],
        env,
        account: ID.account(plan.machine),
        limits: memory::limits(ID, plan.machine),
        needs: Vec::new(),
        probe: Probe::Socket(plan.paths.containerd_socket()),
        grace: Duration::from_secs(5),
        scope: KillScope::Process,
        handover: None,
    }
}

/// Plugins without which the kubelet's interface works all the same.
const UNUSED: [&str; 11] = [
    "io.containerd.differ.v1.erofs",
    "io.containerd.internal.v1.tracing",
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.native",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.ttrpc.v1.otelttrpc",
];

pub(super) fn files(plan: &Plan<'_>) -> Vec<Rendered> {
    let mut files = vec![Rendered { path: plan.paths.of(ID).join("config.toml"), text: config(plan) }];
    let text = match plan.settings.provider {
        Provider::Flannel(_) => network(plan),
        Provider::None => no_network(),
        Provider::Custom => return files,
    };
    files.push(Rendered { path: plan.paths.cni_config().join("10-sk8s.conflist"), text });
    files
}

/// Where the network's programs and configuration lie: ours, or where every network that is installed from manifests
/// puts its own. Such a one may build on the plain programs that we have.
fn network_folders(plan: &Plan<'_>) -> [String; 2] {
    let own = plan.paths.cni.display();
    match plan.settings.provider {
        Provider::Custom => [format!("'/opt/cni/bin', '{own}'"), "/etc/cni/net.d".to_owned()],
        Provider::Flannel(_) | Provider::None => [format!("'{own}'"), plan.paths.cni_config().display().to_string()],
    }
}

/// The shims live in a group of their own: whatever ends our service's group must not end the pods.
fn config(plan: &Plan<'_>) -> String {
    let shims = plan.machine.shims.unwrap_or_default();
    let [programs, networks] = network_folders(plan);
    let unused = UNUSED.map(|plugin| format!("    '{plugin}',\n")).concat();
    format!(
        "version = 3
root = '{data}/containerd'
state = '{run}/containerd'
imports = []
disabled_plugins = [
{unused}]

[grpc]
address = '{socket}'

[plugins.'io.containerd.cri.v1.images']
snapshotter = 'overlayfs'
discard_unpacked_layers = true
stats_collect_period = 60

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{pause}'

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = {restricted}

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [{programs}]
conf_dir = '{networks}'

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = 'runc'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '{components}/runc'
Root = '{run}/runc'
ShimCgroup = '{shims}'
SystemdCgroup = false

[plugins.'io.containerd.internal.v1.opt']
path = '{data}/containerd/opt'
",
        restricted = plan.machine.oom == OomControl::Restricted,
        data = plan.paths.data.display(),
        run = plan.paths.run.display(),
        socket = plan.paths.containerd_socket().display(),
        pause = plan.pause,
        components = plan.paths.components.display(),
    )
}

/// A network for nobody: with none at all, the node would count as not ready, though it runs pods on its own network.
fn no_network() -> String {
    let loopback = serde_json::json!({ "type": "loopback" });
    let list = serde_json::json!({ "cniVersion": "1.0.0", "name": "none", "plugins": [loopback] });
    format!("{list:#}\n")
}

/// One bridge per node. Addresses given out are kept for the boot only: after it no pod of before is left.
fn network(plan: &Plan<'_>) -> String {
    let subnet = plan.settings.pods.first(24);
    let ipam = serde_json::json!({
        "type": "host-local",
        "dataDir": plan.paths.run.join("addresses"),
        "ranges": [[{ "subnet": subnet.to_string() }]],
        "routes": [{ "dst": "0.0.0.0/0" }],
    });
    let mut bridge = serde_json::json!({
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": true,
        "ipMasq": true,
        "ipMasqBackend": "nftables",
        "hairpinMode": true,
        "ipam": ipam,
    });
    if let Provider::Flannel(Flannel { mtu: Some(mtu), .. }) = plan.settings.provider {
        bridge["mtu"] = mtu.into();
    }
    let ports = serde_json::json!({
        "type": "portmap",
        "backend": "nftables",
        "capabilities": { "portMappings": true },
        "snat": true,
    });
    let list = serde_json::json!({ "cniVersion": "1.0.0", "name": "sk8s", "plugins": [bridge, ports] });
    format!("{list:#}\n")
}
