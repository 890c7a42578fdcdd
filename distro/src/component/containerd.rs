//! containerd.

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::{
    Plan, Rendered, share,
    spec::{ComponentId, ComponentSpec, KillScope, Probe},
};
use crate::{config::Provider, network, sys::machine::OomControl};

const ID: ComponentId = ComponentId::Containerd;

/// Reads `images.json`: the names by which the built-in images are known, each with its reference.
///
/// # Errors
/// If the text is no JSON object of strings.
pub fn images(json: &str) -> Result<BTreeMap<String, String>, serde_json::Error> {
    serde_json::from_str(json)
}

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let mut env = share::environment(ID, plan.machine);
    env.push(("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", plan.paths.components.display())));
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("containerd"),
        args: vec![
            format!("--config={}", plan.own(ID, "config.toml")),
            format!("--root={}/containerd", plan.paths.data.display()),
            format!("--state={}/containerd", plan.paths.run.display()),
        ],
        env,
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: Vec::new(),
        probe: Probe::Grpc(plan.paths.containerd_socket()),
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
    vec![Rendered { path: plan.paths.of(ID).join("config.toml"), text: config(plan) }]
}

/// Where the network's programs and configuration lie: ours, or where every network that is installed from manifests
/// puts its own. Such a one may build on the plain programs that we have.
fn network_folders(plan: &Plan<'_>) -> [String; 2] {
    let own = plan.paths.cni.display();
    match plan.settings.provider {
        Provider::Custom => [format!("'{}', '{own}'", network::PROGRAMS), network::CONFIGURATION.to_owned()],
        Provider::Flannel(_) | Provider::None => [format!("'{own}'"), plan.paths.cni_config().display().to_string()],
    }
}

/// What the owner adds to our configuration, read when containerd starts.
const DROP_INS: &str = "/etc/sk8s/containerd.d/*.toml";
/// A folder for each registry that is private, mirrored or has an authority of its own (containerd's `hosts.toml`), read at
/// each pull.
pub const REGISTRIES: &str = "/etc/sk8s/registries";

/// The runtimes: runc, and where the machine has it crun, for a RuntimeClass with that handler.
fn runtimes(plan: &Plan<'_>) -> String {
    let runc = plan.paths.components.join("runc");
    let all = [("runc", Some(&runc)), ("crun", plan.machine.crun.as_ref())];
    let known = all.into_iter().filter_map(|(name, program)| Some(runtime(plan, name, program?)));
    known.collect::<Vec<_>>().join("\n")
}

fn runtime(plan: &Plan<'_>, name: &str, program: &Path) -> String {
    format!(
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}.options]
BinaryName = '{program}'
Root = '{run}/{name}'
ShimCgroup = '{shims}'
SystemdCgroup = false
",
        program = program.display(),
        run = plan.paths.run.display(),
        shims = plan.machine.shims.unwrap_or_default(),
    )
}

/// The shims live in a group of their own: whatever ends our service's group must not end the pods. Network namespaces are
/// mounted in our own folder, so that a reset knows which are ours. An image is known once its files are on the disk, or a
/// power cut leaves empty ones that nothing looks at again.
fn config(plan: &Plan<'_>) -> String {
    let [programs, networks] = network_folders(plan);
    let runtimes = runtimes(plan);
    let unused = UNUSED.map(|plugin| format!("    '{plugin}',\n")).concat();
    format!(
        "version = 3
imports = ['{DROP_INS}']
required_plugins = ['io.containerd.grpc.v1.cri']
disabled_plugins = [
{unused}]

[grpc]
address = '{socket}'

[plugins.'io.containerd.cri.v1.images']
snapshotter = 'overlayfs'
discard_unpacked_layers = true
image_pull_with_sync_fs = true
stats_collect_period = 60

[plugins.'io.containerd.cri.v1.images'.registry]
config_path = '{REGISTRIES}'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{pause}'

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = {restricted}
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [{programs}]
conf_dir = '{networks}'

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = 'runc'

{runtimes}
[plugins.'io.containerd.internal.v1.opt']
path = '{data}/containerd/opt'
",
        restricted = plan.machine.oom == OomControl::Restricted,
        data = plan.paths.data.display(),
        socket = plan.paths.containerd_socket().display(),
        pause = plan.pause,
    )
}
