//! Why a key of k0sctl's is not carried over, and what there is instead.

const SHELL: &str = "not carried over: nobody logs in on a node; a seed is all that it needs";
const IMAGE: &str = "not carried over: it is part of the image; put it into a recipe or an overlay and build";
const VERSION: &str = "not carried over: the version is the image's; `skerry lock` says which";
const ORDER: &str = "not carried over: nothing is done to nodes from here, so there is no order to choose";
const CONFIG: &str = "not carried over: seeds have no key for it; sk8s on plain Linux takes it in `sk8s.yaml`";

/// A key, and why it is left.
const KEYS: [(&str, &str); 27] = [
    ("ssh", SHELL),
    ("openSSH", SHELL),
    ("winRM", SHELL),
    ("localhost", SHELL),
    ("hooks", SHELL),
    ("environment", IMAGE),
    ("files", "not carried over: write them with `write_files` in a second seed, `skerry build --seed A --seed B`"),
    ("uploadBinary", IMAGE),
    ("k0sBinaryPath", IMAGE),
    ("k0sDownloadURL", IMAGE),
    ("k0sDownloadURLOverride", IMAGE),
    ("k0sInstallPath", IMAGE),
    ("dataDir", "not carried over: a node keeps its state in `/var/lib/sk8s`"),
    ("kubeletRootDir", "not carried over: the kubelet's folder is `/var/lib/kubelet`"),
    ("os", IMAGE),
    ("reset", "not carried over: flash the node again"),
    ("useExistingK0s", IMAGE),
    ("overrideConfig", CONFIG),
    ("privateInterface", "not carried over: describe the interface in `network`"),
    ("version", VERSION),
    ("versionChannel", VERSION),
    ("dynamicConfig", CONFIG),
    ("options", ORDER),
    ("user", "not carried over: the kubeconfig's user is `admin`"),
    ("telemetry", "not carried over: there is none"),
    ("konnectivity", "not carried over: nodes dial port 6443, and everything else goes through that"),
    ("kuberouter", "not carried over: pods are connected by flannel"),
];

/// Why a key at a path is left.
pub fn why(path: &str, key: &str) -> &'static str {
    let known = KEYS.iter().find(|(name, _)| *name == key).map(|(_, why)| *why);
    let other = if path.starts_with("spec.k0s.config.") { CONFIG } else { "not carried over: it has no meaning here" };
    known.unwrap_or(other)
}
