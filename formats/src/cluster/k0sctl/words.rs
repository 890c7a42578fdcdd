//! Why a key of k0sctl's is not carried over, and what there is instead.

const LINUX: &str = "not carried over: hosts run Linux, and are reached by `ssh`";
const CLIENT: &str = "not carried over: write it into the configuration of `ssh`, `~/.ssh/config`";
const HOOKS: &str = "not carried over: do it before the file is applied, or put it into the image";
const FILES: &str = "not carried over: copy them yourself, or put them into an overlay or a seed's `write_files`";
const PROGRAM: &str = "not carried over: `sk8s cluster apply` uploads itself, and an image has sk8s in it";
const VERSION: &str = "not carried over: the version is that of the `sk8s` that applies the file, or the image's";
const ORDER: &str = "not carried over: hosts are done in an order that keeps the cluster up";
const DYNAMIC: &str = "not carried over: the file is the configuration, and `apply` makes a change of it known";

/// A key, and why it is left.
const KEYS: [(&str, &str); 23] = [
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
    ("dynamicConfig", DYNAMIC),
    ("version", VERSION),
    ("versionChannel", VERSION),
    ("user", "not carried over: the kubeconfig's user is `admin`"),
    ("options", ORDER),
];

/// Why a key at a path is left.
pub fn why(path: &str, key: &str) -> &'static str {
    if path.ends_with(".openSSH.options") {
        return CLIENT;
    }
    let known = KEYS.iter().find(|(name, _)| *name == key).map(|(_, why)| *why);
    known.unwrap_or("not carried over: it has no meaning here")
}
