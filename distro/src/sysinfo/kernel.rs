//! What a kernel can do, from all the places that say something about it.

use std::collections::BTreeSet;

/// Something a kernel is built with, or has as a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The option in the kernel's configuration, without `CONFIG_`.
    pub option: &'static str,
    /// The module's name; the option in small letters where it can be no module.
    pub module: &'static str,
    /// What does not work without.
    pub without: &'static str,
    /// How badly it is wanted.
    pub wanted: Wanted,
}

/// How badly a feature is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// No pod runs without.
    ByPods,
    /// Only clusters of several nodes want it.
    BySeveralNodes,
}

const fn pods(option: &'static str, module: &'static str, without: &'static str) -> Feature {
    Feature { option, module, without, wanted: Wanted::ByPods }
}

/// What a node that runs pods wants of a kernel.
pub const FEATURES: [Feature; 26] = [
    pods("NAMESPACES", "namespaces", "containers"),
    pods("NET_NS", "net_ns", "containers"),
    pods("PID_NS", "pid_ns", "containers"),
    pods("IPC_NS", "ipc_ns", "containers"),
    pods("UTS_NS", "uts_ns", "containers"),
    pods("CGROUPS", "cgroups", "containers"),
    pods("MEMCG", "memcg", "memory limits"),
    pods("CFS_BANDWIDTH", "cfs_bandwidth", "processor limits"),
    pods("CPUSETS", "cpusets", "kubelet"),
    pods("CGROUP_PIDS", "cgroup_pids", "kubelet"),
    pods("SECCOMP_FILTER", "seccomp_filter", "containers' system call filters"),
    pods("POSIX_MQUEUE", "posix_mqueue", "containers' `/dev/mqueue`"),
    pods("KEYS", "keys", "containers' keyrings"),
    pods("OVERLAY_FS", "overlay", "images"),
    pods("VETH", "veth", "the pod network"),
    pods("BRIDGE", "bridge", "the pod network"),
    pods("BRIDGE_NETFILTER", "br_netfilter", "Services between pods of one node"),
    pods("NF_CONNTRACK", "nf_conntrack", "Services"),
    pods("NF_TABLES", "nf_tables", "Services"),
    pods("NFT_CT", "nft_ct", "Services"),
    pods("NFT_NAT", "nft_nat", "Services"),
    pods("NFT_MASQ", "nft_masq", "pods' way out"),
    pods("NFT_NUMGEN", "nft_numgen", "Services with several endpoints"),
    pods("NFT_REJECT", "nft_reject", "Services without endpoints"),
    pods("NFT_FIB_IPV4", "nft_fib_ipv4", "node ports"),
    Feature {
        option: "VXLAN",
        module: "vxlan",
        without: "pods reaching other nodes over VXLAN",
        wanted: Wanted::BySeveralNodes,
    },
];

/// Whether a feature is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// In the kernel itself, or loaded.
    There,
    /// A module that can be loaded.
    Module,
    /// Nowhere.
    Missing,
    /// Nothing tells.
    Unknown,
}

/// The texts that say something about a kernel; what is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Its configuration.
    pub config: String,
    /// `/proc/modules`.
    pub loaded: String,
    /// `modules.builtin`.
    pub builtin: String,
    /// `modules.dep`.
    pub modules: String,
    /// `/proc/filesystems`.
    pub filesystems: String,
}

impl Sources {
    /// Whether a feature is there. What runs counts for more than what is written, and a module that the configuration has
    /// but no folder holds cannot be loaded.
    #[must_use]
    pub fn presence(&self, feature: &Feature) -> Presence {
        let Feature { option, module, .. } = feature;
        let first = |line: &str| line.split_whitespace().next().is_some_and(|word| word == *module);
        let last = |line: &str| line.split_whitespace().next_back().is_some_and(|word| word == *module);
        let running = self.loaded.lines().any(first) || self.filesystems.lines().any(last);
        if running || holds(&self.builtin, module) {
            return Presence::There;
        }
        let written =
            self.config.lines().find_map(|line| line.strip_prefix("CONFIG_")?.strip_prefix(option)?.strip_prefix('='));
        match written {
            Some("y") => Presence::There,
            _ if holds(&self.modules, module) => Presence::Module,
            None if self.config.is_empty() => Presence::Unknown,
            _ => Presence::Missing,
        }
    }
}

/// Whether a list of paths of modules has one: `kernel/net/bridge/br_netfilter.ko.xz: …`, with `-` for `_` at times.
fn holds(list: &str, module: &str) -> bool {
    let name = |line: &str| {
        let path = line.split(':').next()?;
        let file = path.rsplit('/').next()?;
        Some(file.split(".ko").next()?.replace('-', "_"))
    };
    list.lines().filter_map(name).collect::<BTreeSet<_>>().contains(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(sources: &Sources, module: &str) -> Presence {
        sources.presence(FEATURES.iter().find(|feature| feature.module == module).expect("known"))
    }

    #[test]
    fn what_runs_counts_for_more_than_what_is_written() {
        let sources = Sources {
            config:
                "CONFIG_OVERLAY_FS=m\nCONFIG_VETH=m\nCONFIG_BRIDGE=y\n# CONFIG_VXLAN is not set\nCONFIG_NF_TABLES=m\n"
                    .into(),
            loaded: "overlay 151552 0 - Live 0x0\n".into(),
            modules: "kernel/net/netfilter/nf-tables.ko.zst: kernel/lib/x.ko\n".into(),
            builtin: "kernel/net/bridge/br_netfilter.ko\n".into(),
            filesystems: String::new(),
        };
        for (module, wanted) in [
            ("overlay", Presence::There),
            ("bridge", Presence::There),
            ("br_netfilter", Presence::There),
            ("nf_tables", Presence::Module),
            ("veth", Presence::Missing),
            ("vxlan", Presence::Missing),
        ] {
            assert_eq!(presence(&sources, module), wanted, "{module}");
        }
    }

    #[test]
    fn a_file_system_that_the_kernel_lists_is_there() {
        let sources = Sources { filesystems: "nodev\tsysfs\nnodev\toverlay\n".into(), ..Sources::default() };
        assert_eq!(presence(&sources, "overlay"), Presence::There);
        assert_eq!(presence(&sources, "veth"), Presence::Unknown);
    }
}
