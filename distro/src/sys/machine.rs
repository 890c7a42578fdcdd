//! What the machine is: memory, processors, addresses, accounts.

use std::{
    net::{IpAddr, Ipv6Addr},
    path::{Path, PathBuf},
};

use skerry_formats::node_address::NodeAddress;

use super::{
    accounts::Account,
    addresses::{self, Chosen},
    cgroup, fs,
};

/// The facts that components are made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Processors in use.
    pub processors: usize,
    /// The address that others reach the node at.
    pub address: IpAddr,
    /// The IPv6 address of the interface that has the first.
    pub second: Option<Ipv6Addr>,
    /// All its addresses but loopback and those of pods.
    pub addresses: Vec<IpAddr>,
    /// Whether we may spare a process from the kernel's choice when memory ends.
    pub oom: OomControl,
    /// Which control groups the kernel has.
    pub cgroups: cgroup::Version,
    /// The control group for what must outlive us, where we may have one.
    pub shims: Option<&'static str>,
    /// crun, where the machine has it.
    pub crun: Option<PathBuf>,
    /// The text of `/etc/passwd`.
    pub passwd: String,
    /// The resolver configuration that pods inherit.
    pub resolver: String,
}

/// Whether a process may be made less likely to be ended when memory does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OomControl {
    /// As on any machine of one's own.
    Full,
    /// Only more likely: we run in somebody else's container.
    Restricted,
}

/// The machine as it is now; `None` while it has no address, or none that is wished for.
#[must_use]
pub fn observe(wish: Option<&NodeAddress>) -> Option<Machine> {
    let held = addresses::held();
    let Chosen { first, second } = addresses::choose(&held, wish, addresses::route())?;
    let mut addresses: Vec<IpAddr> = held.into_iter().map(|held| held.ip).collect();
    addresses.sort();
    addresses.dedup();
    Some(Machine {
        memory_mib: memory_mib(&fs::read_to_string(Path::new("/proc/meminfo")).unwrap_or_default()).unwrap_or(1024),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        address: first.into(),
        second,
        addresses,
        oom: oom_control(&fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default()),
        cgroups: cgroup::version(),
        shims: cgroup::shims(),
        crun: CRUN.map(PathBuf::from).into_iter().find(|path| fs::exists(path)),
        passwd: fs::read_to_string(Path::new("/etc/passwd")).unwrap_or_default(),
        resolver: resolver(),
    })
}

/// Where distributions and owners put crun.
const CRUN: [&str; 2] = ["/usr/local/bin/crun", "/usr/bin/crun"];

/// `CAP_SYS_RESOURCE` is bit 24 of the effective capabilities (capabilities(7)).
fn oom_control(status: &str) -> OomControl {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    match line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) if mask & (1 << 24) == 0 => OomControl::Restricted,
        _ => OomControl::Full,
    }
}

fn memory_mib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// systemd-resolved's list of real servers, since its own stub on loopback cannot be reached from a pod.
fn resolver() -> String {
    let real = Path::new("/run/systemd/resolve/resolv.conf");
    let path = if fs::exists(real) { real } else { Path::new("/etc/resolv.conf") };
    fs::read_to_string(path).unwrap_or_default()
}

/// Who we are.
#[must_use]
pub fn account() -> Account {
    Account { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() }
}

/// A number that is new with every boot.
#[must_use]
pub fn boot_id() -> String {
    fs::read_to_string(Path::new("/proc/sys/kernel/random/boot_id")).unwrap_or_default().trim().to_owned()
}

/// The machine's host name.
#[must_use]
pub fn host_name() -> String {
    nix::unistd::gethostname().map_or_else(|_| String::new(), |name| name.to_string_lossy().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{OomControl, memory_mib, oom_control};

    #[test]
    fn memory_is_read_in_mib() {
        assert_eq!(memory_mib("MemTotal:        2028928 kB\nMemFree: 1 kB\n"), Some(1981));
        assert_eq!(memory_mib(""), None);
    }

    #[test]
    fn without_the_capability_oom_control_is_restricted() {
        assert_eq!(oom_control("CapEff:\t000001ffffffffff\n"), OomControl::Full);
        assert_eq!(oom_control("CapEff:\t000001fffeffffff\n"), OomControl::Restricted);
    }
}
