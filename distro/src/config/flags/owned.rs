//! Flags that follow from the configuration, the role or the cluster's keys: nobody else may set them.

use super::Target;

const KEYS: &str = "sk8s makes and renews the cluster's keys and certificates";
const ADDRESSES: &str = "sk8s decides what listens where";
const STORAGE: &str = "set `spec.storage` instead";
const NETWORK: &str = "set `spec.network` instead";
const GATES: &str = "set `spec.featureGates` instead";
const MEMBERS: &str = "sk8s finds and keeps the members";
const END: &str = "the program would print something and end";
const SAFETY: &str = "a kubelet asks the API server who may do what";
const RUNTIME: &str = "containerd is set up to match, and `spec.node.criSocket` names another runtime";
const PROFILE: &str = "set `spec.workerProfiles` instead";
const CLUSTER: &str = "what runs on a node is decided by its cluster";
const SIGNING: &str = "set `spec.api.ca.certificatesExpireAfter` instead";

/// Name, or its beginning where it ends in `*`, and the reason.
type Table = &'static [(&'static str, &'static str)];

const APISERVER: Table = &[
    ("admission-control", "set `enable-admission-plugins` instead"),
    ("advertise-address", "set `spec.api.address` instead"),
    ("authorization-config", "set `authorization-mode` and its flags instead"),
    ("bind-address", ADDRESSES),
    ("cert-dir", KEYS),
    ("client-ca-file", KEYS),
    ("egress-selector-config-file", "sk8s' link carries what the API server sends to nodes"),
    ("endpoint-reconciler-type", "it follows from the number of controllers"),
    ("etcd-cafile", STORAGE),
    ("etcd-certfile", STORAGE),
    ("etcd-keyfile", STORAGE),
    ("etcd-prefix", STORAGE),
    ("etcd-servers*", STORAGE),
    ("external-hostname", "set `spec.api.externalAddress` instead"),
    ("feature-gates", GATES),
    ("help", END),
    ("kubelet-certificate-authority", KEYS),
    ("kubelet-client-*", KEYS),
    ("permit-port-sharing", ADDRESSES),
    ("proxy-client-*", KEYS),
    ("requestheader-*", KEYS),
    ("secure-port", "a controller has one port: 6443"),
    ("service-account-key-file", KEYS),
    ("service-account-signing-*", KEYS),
    ("service-cluster-ip-range", "set `spec.network.serviceCIDR` instead"),
    ("storage-backend", STORAGE),
    ("tls-cert-file", KEYS),
    ("tls-private-key-file", KEYS),
    ("version", END),
];

/// What the controller manager and the scheduler have in common.
const CLIENTS: Table = &[
    ("authentication-kubeconfig", KEYS),
    ("authorization-kubeconfig", KEYS),
    ("bind-address", ADDRESSES),
    ("cert-dir", KEYS),
    ("client-ca-file", KEYS),
    ("feature-gates", GATES),
    ("help", END),
    ("kubeconfig", KEYS),
    ("leader-elect", "it follows from the role"),
    ("master", KEYS),
    ("requestheader-*", KEYS),
    ("secure-port", ADDRESSES),
    ("tls-cert-file", KEYS),
    ("tls-private-key-file", KEYS),
    ("version", END),
    ("write-config-to", END),
];

const CONTROLLER_MANAGER: Table = &[
    ("allocate-node-cidrs", NETWORK),
    ("cidr-allocator-type", NETWORK),
    ("cluster-cidr", "set `spec.network.podCIDR` instead"),
    ("cluster-name", "set `metadata.name` instead"),
    ("cluster-signing-duration", SIGNING),
    ("cluster-signing-*", KEYS),
    ("node-cidr-mask-size*", "each node has a /24 of `spec.network.podCIDR`"),
    ("root-ca-file", KEYS),
    ("service-account-private-key-file", KEYS),
    ("service-cluster-ip-range", "set `spec.network.serviceCIDR` instead"),
    ("use-service-account-credentials", "controllers act with accounts of their own"),
];

/// Those of a kubelet that no profile may set either, and those that say what this node is.
const KUBELET: Table = &[
    ("address", ADDRESSES),
    ("anonymous-auth", SAFETY),
    ("authentication-*", SAFETY),
    ("authorization-*", SAFETY),
    ("bootstrap-kubeconfig", KEYS),
    ("cert-dir", KEYS),
    ("cgroup-driver", RUNTIME),
    ("client-ca-file", KEYS),
    ("cluster-dns", "it follows from `spec.network.serviceCIDR`"),
    ("cluster-domain", "set `spec.network.clusterDomain` instead"),
    ("config", PROFILE),
    ("config-dir", PROFILE),
    ("container-runtime-endpoint", RUNTIME),
    ("enable-server", ADDRESSES),
    ("feature-gates", GATES),
    ("healthz-*", ADDRESSES),
    ("help", END),
    ("hostname-override", "set `spec.node.name` instead"),
    ("image-service-endpoint", RUNTIME),
    ("kubeconfig", KEYS),
    ("manifest-url*", CLUSTER),
    ("node-ip", "set `spec.node.address` instead"),
    ("node-labels", "set `spec.node.labels` instead"),
    ("pod-cidr", "each node has its part of `spec.network.podCIDR`"),
    ("port", ADDRESSES),
    ("read-only-port", "a node has no port without a lock"),
    ("register-node", "a node registers itself"),
    ("register-with-taints", "set `spec.node.taints` instead"),
    ("resolv-conf", "sk8s leaves out resolvers that a pod cannot reach"),
    ("root-dir", "give sk8s `--kubelet-dir` instead"),
    ("rotate-*", KEYS),
    ("runonce", END),
    ("tls-cert-file", KEYS),
    ("tls-private-key-file", KEYS),
    ("version", END),
];

const ETCD: Table = &[
    ("advertise-client-urls", MEMBERS),
    ("auto-tls", KEYS),
    ("cert-file", KEYS),
    ("client-*", KEYS),
    ("data-dir", "it lies in sk8s' data folder"),
    ("discovery*", MEMBERS),
    ("force-new-cluster", MEMBERS),
    ("initial-advertise-peer-urls", MEMBERS),
    ("initial-cluster*", MEMBERS),
    ("key-file", KEYS),
    ("listen-*", MEMBERS),
    ("name", "a member has its node's name"),
    ("peer-*", KEYS),
    ("trusted-ca-file", KEYS),
    ("wal-dir", "it lies in sk8s' data folder"),
];

/// Why a flag is ours; `None` if it is not. The first entry that fits decides.
pub(super) fn reason(target: Target, name: &str) -> Option<&'static str> {
    let tables: &[Table] = match target {
        Target::KubeApiserver => &[APISERVER],
        Target::KubeControllerManager => &[CONTROLLER_MANAGER, CLIENTS],
        Target::KubeScheduler => &[CLIENTS],
        Target::Kubelet => &[KUBELET],
        Target::Etcd => &[ETCD],
    };
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(head) => name.starts_with(head),
        None => name == pattern,
    };
    let entry = tables.iter().copied().flatten().find(|(pattern, _)| fits(pattern));
    entry.map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::{APISERVER, CLIENTS, CONTROLLER_MANAGER, ETCD, KUBELET, Target, reason};

    #[test]
    fn every_entry_names_a_flag_that_is_there() {
        use Target::{Etcd, KubeApiserver, KubeControllerManager, Kubelet};
        let tables =
            [(KubeApiserver, APISERVER), (KubeControllerManager, CONTROLLER_MANAGER), (Kubelet, KUBELET), (Etcd, ETCD)];
        for (target, table) in tables {
            for (pattern, _) in table {
                let head = pattern.trim_end_matches('*');
                assert!(target.known().lines().any(|known| known.starts_with(head)), "{} {pattern}", target.as_str());
            }
        }
        let both = |head: &str| {
            [Target::KubeScheduler, KubeControllerManager]
                .iter()
                .any(|t| t.known().lines().any(|k| k.starts_with(head)))
        };
        for (pattern, _) in CLIENTS {
            assert!(both(pattern.trim_end_matches('*')), "{pattern}");
        }
    }

    #[test]
    fn what_has_no_key_in_a_kubelets_file_is_free() {
        for name in [
            "cloud-provider",
            "image-credential-provider-bin-dir",
            "image-credential-provider-config",
            "provider-id",
            "housekeeping-interval",
            "max-pods",
        ] {
            assert_eq!(reason(Target::Kubelet, name), None, "{name}");
        }
    }

    #[test]
    fn what_tunes_the_store_is_free_and_where_it_is_is_not() {
        assert_eq!(reason(Target::KubeApiserver, "etcd-compaction-interval"), None);
        assert!(reason(Target::KubeApiserver, "etcd-cafile").is_some());
    }
}
