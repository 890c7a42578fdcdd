//! Why a key of k0sctl's is not carried over, and what there is instead.

const LINUX: &str = "not carried over: hosts run Linux, and are reached by `ssh`";
const CLIENT: &str = "not carried over: write it into the configuration of `ssh`, `~/.ssh/config`";
const HOOKS: &str = "not carried over: do it before the file is applied, or put it into the image";
const FILES: &str = "not carried over: copy them yourself, or put them into an overlay or a seed's `write_files`";
const PROGRAM: &str = "not carried over: `sk8s cluster apply` uploads itself, and an image has sk8s in it";
const VERSION: &str = "not carried over: the version is that of the `sk8s` that applies the file, or the image's";
const ORDER: &str = "not carried over: hosts are done in an order that keeps the cluster up";
const CONFIG: &str =
    "not carried over: this file has no key for it; `sk8s config import` makes a `sk8s.yaml` of k0s' configuration";

/// A key, and why it is left.
const KEYS: [(&str, &str); 27] = [
    ("winRM", LINUX),
    ("bastion", "not carried over: write it into `~/.ssh/config` as `ProxyJump`"),
    ("hostKey", "not carried over: `ssh` finds it in its `known_hosts`"),
    ("configPath", CLIENT),
    ("disableMultiplexing", CLIENT),
    ("hooks", HOOKS),
    ("environment", "not carried over: `sk8s install -e NAME=VALUE` on the host sets variables of the service"),
    ("files", FILES),
    ("uploadBinary", PROGRAM),
    ("k0sBinaryPath", PROGRAM),
    ("k0sDownloadURL", PROGRAM),
    ("k0sDownloadURLOverride", PROGRAM),
    ("k0sInstallPath", PROGRAM),
    ("useExistingK0s", PROGRAM),
    ("dataDir", "not carried over: a node keeps its state in `/var/lib/sk8s`"),
    ("kubeletRootDir", "not carried over: the kubelet's folder is `/var/lib/kubelet`"),
    ("os", "not carried over: it is found out"),
    ("reset", "not carried over: `sk8s cluster reset --host NAME`, or flash the node again"),
    ("overrideConfig", CONFIG),
    ("version", VERSION),
    ("versionChannel", VERSION),
    ("dynamicConfig", CONFIG),
    ("user", "not carried over: the kubeconfig's user is `admin`"),
    ("telemetry", "not carried over: there is none"),
    ("konnectivity", "not carried over: nodes dial port 6443, and everything else goes through that"),
    ("kuberouter", "not carried over: pods are connected by flannel"),
    ("options", ORDER),
];

/// Why a key at a path is left.
pub fn why(path: &str, key: &str) -> &'static str {
    if path.ends_with(".openSSH.options") {
        return CLIENT;
    }
    let known = KEYS.iter().find(|(name, _)| *name == key).map(|(_, why)| *why);
    let other = if path.starts_with("spec.k0s.config.") { CONFIG } else { "not carried over: it has no meaning here" };
    known.unwrap_or(other)
}
