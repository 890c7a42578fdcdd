//! Memory of the idle node: whole system, and proportional by process.

use std::collections::BTreeMap;

use skerry_qemu::{Deadline, clock};
use skerry_tests::{
    kubectl::BUSYBOX,
    node::{INSPECTOR, Node},
};

use super::super::table::{Table, Unit};

/// Seconds that a node gets to come to rest after Ready.
const REST: u64 = 60;
/// Processes smaller than this are summed up.
const SMALL_MIB: f64 = 4.0;

/// Reads the node's memory through the privileged pod, which is the pod that runs.
pub fn measure(node: &Node, table: &mut Table) -> Result<(), String> {
    table.section("memory of the idle node with a pod");
    let rest = Deadline::seconds(REST);
    while !rest.passed() {
        clock::pause();
    }
    let shell = |script: &str| node.kubectl.shell(INSPECTOR, script).map_err(|error| error.to_string());
    let used = in_use(&shell(&format!("{BUSYBOX} cat /proc/meminfo"))?);
    table.goal("in use (MemTotal - MemAvailable)", (used, 480.0), Unit::Mebibytes);
    let script = format!(
        "cd /proc; for p in [0-9]*; do s=$({BUSYBOX} grep ^Pss: $p/smaps_rollup 2>/dev/null) || continue; \
         echo \"$s $({BUSYBOX} tr '\\0' ' ' <$p/cmdline)\"; done"
    );
    for (name, mebibytes) in by_process(&shell(&script)?) {
        table.note(&format!("  {name}"), mebibytes, Unit::Mebibytes);
    }
    Ok(())
}

fn in_use(meminfo: &str) -> f64 {
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN)
    };
    (field("MemTotal:") - field("MemAvailable:")) / 1024.0
}

/// Proportional set sizes summed by program, largest first; what is small is one line.
fn by_process(listing: &str) -> Vec<(String, f64)> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for line in listing.lines() {
        let mut words = line.split_whitespace().skip(1);
        let Some(kibibytes) = words.next().and_then(|word| word.parse::<f64>().ok()) else { continue };
        let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
        let name = match words.nth(1).map(base) {
            Some(multicall) if multicall == "kube" => words.next().map(base).unwrap_or(multicall),
            Some(name) => name,
            None => continue,
        };
        *sums.entry(name).or_default() += kibibytes / 1024.0;
    }
    let (mut large, small): (Vec<_>, Vec<_>) = sums.into_iter().partition(|(_, size)| *size >= SMALL_MIB);
    large.sort_by(|a, b| b.1.total_cmp(&a.1));
    large.push((format!("{} smaller programs", small.len()), small.iter().map(|(_, size)| size).sum()));
    large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_in_use_is_total_without_available() {
        assert_eq!(in_use("MemTotal:  2048 kB\nMemFree: 5 kB\nMemAvailable: 1024 kB\n"), 1.0);
    }

    #[test]
    fn multicall_components_are_told_apart() {
        let listing = "Pss:  102400 kB /x/kube kube-apiserver --a\nPss: 20480 kB /x/kube kubelet\nPss: 1024 kB /sbin/a\n\
                       Pss: 2048 kB b\nPss: 1024 kB \n";
        let expected = [("kube-apiserver", 100.0), ("kubelet", 20.0), ("2 smaller programs", 3.0)];
        assert_eq!(by_process(listing), expected.map(|(name, size)| (name.to_owned(), size)));
    }
}
