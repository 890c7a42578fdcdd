//! What is asked of a machine, and what to do where it falls short. Pure.

use std::net::IpAddr;

use super::{Check, FEATURES, Feature, Presence, Purpose, Snapshot, Verdict, kernel::Wanted};
use crate::{
    component::{FLANNEL_PORT, METRICS_PORT},
    config::NodeName,
    pki::CLOCK_FLOOR,
    sys::cgroup::Version,
};

/// Programs that are looked for.
pub(super) const PROGRAMS: [&str; 4] = ["nft", "modprobe", "mount", "umount"];

/// Judges a machine for a purpose.
#[must_use]
pub fn judge(seen: &Snapshot, purpose: Purpose) -> Vec<Check> {
    let mut checks = vec![
        kernel(seen, purpose),
        architecture(seen),
        memory(seen, purpose),
        disk(seen, purpose),
        clock(seen),
        host_name(seen),
        address(seen),
        localhost(seen),
        ports(seen, purpose),
    ];
    checks.extend(control_groups(seen, purpose));
    if purpose.works() {
        checks.extend([swap(seen), watchers(seen)]);
        checks.extend(features(seen));
        checks.extend(programs(seen));
    }
    checks
}

/// The nftables mode of kube-proxy wants 5.13.
fn kernel(seen: &Snapshot, purpose: Purpose) -> Check {
    let mut numbers = seen.kernel.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or_default());
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let (found, advice) =
        (seen.kernel.clone(), "5.13 or later is wanted: kube-proxy's nftables mode does not work before");
    match version {
        (5, 13..) | (6.., _) => Check::pass("kernel", found),
        _ if purpose.works() => Check::fail("kernel", found, advice),
        _ => Check::warn("kernel", found, advice),
    }
}

fn architecture(seen: &Snapshot) -> Check {
    let found = seen.architecture.clone();
    match found.as_str() {
        "x86_64" | "aarch64" => Check::pass("architecture", found),
        _ => Check::fail("architecture", found, "components are built for x86_64 and aarch64"),
    }
}

fn memory(seen: &Snapshot, purpose: Purpose) -> Check {
    let wanted = if purpose.controls() { 1024 } else { 500 };
    let found = format!("{} MiB", seen.memory_mib);
    // A machine of 1 GiB keeps some of it to itself before it counts.
    if seen.memory_mib * 100 >= wanted * 90 {
        Check::pass("memory", found)
    } else {
        Check::warn("memory", found, format!("{wanted} MiB are wanted"))
    }
}

fn disk(seen: &Snapshot, purpose: Purpose) -> Check {
    let Some(space) = seen.disk else {
        return Check::warn("disk", "unknown", "name the data folder with `--data-dir`");
    };
    let wanted = if purpose.works() { 1300 } else { 500 };
    let found = format!("{} of {} MiB free", space.free_mib, space.total_mib);
    if space.free_mib < wanted {
        Check::warn("disk", found, format!("{wanted} MiB are wanted for components and images"))
    } else if purpose.works() && space.free_mib * 100 < space.total_mib * 15 {
        Check::warn("disk", found, "below 15 % kubelet removes images and ends pods")
    } else {
        Check::pass("disk", found)
    }
}

fn clock(seen: &Snapshot) -> Check {
    let date =
        i64::try_from(seen.now.0).ok().and_then(|seconds| time::OffsetDateTime::from_unix_timestamp(seconds).ok());
    let found = date.map_or_else(
        || "beyond all dates".to_owned(),
        |date| format!("{} {:02}:{:02} UTC", date.date(), date.hour(), date.minute()),
    );
    if seen.now >= CLOCK_FLOOR {
        Check::pass("clock", found)
    } else {
        Check::warn(
            "clock",
            found,
            "it is behind: certificates of other nodes are not valid yet; set it, or run a time service",
        )
    }
}

fn host_name(seen: &Snapshot) -> Check {
    match seen.host_name.parse::<NodeName>() {
        Ok(name) => Check::pass("host name", name.to_string()),
        Err(_) => Check::warn("host name", seen.host_name.clone(), "it names no node; name it with `--node-name`"),
    }
}

fn address(seen: &Snapshot) -> Check {
    match seen.address {
        Some(address) => Check::pass("address", address.to_string()),
        None => Check::warn("address", "none", "sk8s waits until the machine has one"),
    }
}

fn localhost(seen: &Snapshot) -> Check {
    let found = seen.localhost.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !seen.localhost.is_empty() && seen.localhost.iter().all(IpAddr::is_loopback) {
        Check::pass("localhost", found)
    } else {
        let found = if found.is_empty() { "not resolved".to_owned() } else { found };
        Check::fail("localhost", found, "add `127.0.0.1 localhost` to `/etc/hosts`")
    }
}

/// The ports of all components, those on loopback too. Some are for what not every cluster has: etcd, metrics-server, flannel.
fn ports(seen: &Snapshot, purpose: Purpose) -> Check {
    let of = |ports: &[u16], asked: bool| if asked { ports.to_vec() } else { Vec::new() };
    let (controls, works) = (purpose.controls(), purpose.works());
    let always = [of(&[6443, 10257, 10259], controls), of(&[10248, 10249, 10250, 10256], works)].concat();
    let some = [of(&[2379, 2380, 2381, METRICS_PORT], controls), of(&[FLANNEL_PORT], works)].concat();
    let all = [&always[..], &some].concat();
    let said = |ports: &[u16]| ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let taken: Vec<u16> = all.iter().copied().filter(|port| seen.ports.contains(port)).collect();
    if taken.is_empty() {
        Check::pass("ports", format!("free: {}", said(&all)))
    } else if seen.running {
        Check::pass("ports", format!("in use, and sk8s runs: {}", said(&taken)))
    } else if taken.iter().any(|port| always.contains(port)) {
        let advice = "see who listens with `ss -ltnp`: another Kubernetes must be stopped first";
        Check::fail("ports", format!("in use: {}", said(&taken)), advice)
    } else {
        let advice = "`sk8s ports` says what is not to be had without them; see who listens with `ss -ltnp`";
        Check::warn("ports", format!("in use: {}", said(&taken)), advice)
    }
}

fn control_groups(seen: &Snapshot, purpose: Purpose) -> Vec<Check> {
    const NAME: &str = "control groups";
    let version = match seen.cgroups {
        Version::V2 => Check::pass(NAME, "version 2"),
        Version::V1 => Check::warn(
            NAME,
            "version 1",
            "components get no limits of their own; boot with `systemd.unified_cgroup_hierarchy=1`, or mount version 2 alone",
        ),
    };
    let missing: Vec<&str> = ["cpu", "cpuset", "memory", "pids"]
        .into_iter()
        .filter(|name| !seen.controllers.iter().any(|c| c == name))
        .collect();
    if missing.is_empty() {
        return vec![version, Check::pass("controllers", seen.controllers.join(", "))];
    }
    let verdict = if purpose.works() { Verdict::Fail } else { Verdict::Warn };
    let advice = "boot with `cgroup_enable=memory cgroup_enable=cpuset`, as a Raspberry Pi needs";
    let advice =
        if missing.contains(&"memory") || missing.contains(&"cpuset") { advice } else { "another kernel is wanted" };
    let found = format!("missing: {}", missing.join(", "));
    vec![version, Check { name: "controllers", verdict, found, advice: Some(advice.to_owned()) }]
}

fn swap(seen: &Snapshot) -> Check {
    match seen.swap_mib {
        0 => Check::pass("swap", "none"),
        swap => Check::pass("swap", format!("{swap} MiB, which pods do not use")),
    }
}

fn watchers(seen: &Snapshot) -> Check {
    const NAME: &str = "inotify instances";
    match seen.watchers {
        Some(count) if count < 512 => {
            let advice = "many pods want more: `sysctl fs.inotify.max_user_instances=1024`";
            Check::warn(NAME, count.to_string(), advice)
        }
        Some(count) => Check::pass(NAME, count.to_string()),
        None => Check::warn(NAME, "unknown", "a kernel without inotify runs no kubelet"),
    }
}

/// One check for all that is well, and one for each that is not.
fn features(seen: &Snapshot) -> Vec<Check> {
    let mut checks: Vec<Check> = FEATURES.iter().filter_map(|feature| lacking(seen, feature)).collect();
    let well = FEATURES.len() - checks.len();
    let modules = seen.features.values().filter(|presence| **presence == Presence::Module).count();
    checks.insert(
        0,
        Check::pass("kernel features", format!("{well} of {} there, {modules} of them as modules", FEATURES.len())),
    );
    checks
}

fn lacking(seen: &Snapshot, feature: &Feature) -> Option<Check> {
    let Feature { option, module, without, wanted } = *feature;
    let presence = seen.features.get(module).copied().unwrap_or(Presence::Unknown);
    let advice = format!("without it, not: {without}; load `{module}`, or use a kernel with CONFIG_{option}");
    let verdict = match (presence, wanted) {
        (Presence::There | Presence::Module, _) => return None,
        (Presence::Missing, Wanted::ByPods) => Verdict::Fail,
        (Presence::Missing, Wanted::BySeveralNodes) | (Presence::Unknown, _) => Verdict::Warn,
    };
    let found = if presence == Presence::Missing { "missing" } else { "nothing tells" };
    Some(Check { name: module, verdict, found: found.to_owned(), advice: Some(advice) })
}

fn programs(seen: &Snapshot) -> Vec<Check> {
    let loads = seen.features.values().any(|presence| matches!(presence, Presence::Module | Presence::Unknown));
    let check = |name: &'static str| {
        let there = seen.programs.contains(&name);
        match name {
            _ if there => Check::pass(name, "there"),
            _ if seen.spare.contains(&name) => Check::pass(name, "missing, and sk8s brings its own"),
            "nft" => {
                Check::fail(name, "missing", "install the package `nftables`: kube-proxy and pod networks call it")
            }
            "modprobe" if !loads => Check::pass(name, "missing, and not needed"),
            "modprobe" => Check::warn(name, "missing", "install the package `kmod`, or load modules at boot"),
            _ => Check::fail(
                name,
                "missing",
                "install the package `mount` or `util-linux`: kubelet calls it for volumes",
            ),
        }
    };
    PROGRAMS.map(check).into()
}
