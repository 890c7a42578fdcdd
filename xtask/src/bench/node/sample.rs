//! Proportional memory of processes, by component.

use std::{collections::BTreeMap, path::Path};

use super::contender::Contender;
use crate::files;

/// Proportional set size in MiB of each component; shells and the like are left out.
pub fn memory(contender: &Contender) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for process in contender.processes() {
        let read = |name: &str| files::read(&process.join(name)).unwrap_or_default();
        if let (Some(name), Some(size)) = (component(&read("cmdline")), proportional(&read("smaps_rollup"))) {
            *sums.entry(name).or_default() += size;
        }
    }
    sums
}

/// The program that runs once for each pod.
pub const SHIM: &str = "containerd-shim-runc-v2";

const COMPONENTS: [&str; 7] = ["sk8s", "kine", "etcd", "metrics-server", "containerd", SHIM, "flannel"];

fn component(command: &str) -> Option<String> {
    let mut words = command.split('\0');
    let program = Path::new(words.next()?).file_name()?.to_str()?.to_owned();
    let stored =
        program.split_once('-').filter(|(count, _)| count.parse::<u32>().is_ok()).map(|(_, name)| name.to_owned());
    match stored.unwrap_or(program) {
        multicall if multicall == "kube" => words.next().map(ToOwned::to_owned),
        known if COMPONENTS.contains(&known.as_str()) => Some(known),
        _ => None,
    }
}

fn proportional(rollup: &str) -> Option<f64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kibibytes| kibibytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{component, proportional};

    #[test]
    fn components_are_named_by_their_program_or_by_their_part_of_it() {
        assert_eq!(component("/x/bin/kube\0kube-scheduler\0--a").as_deref(), Some("kube-scheduler"));
        assert_eq!(component("/store/0-kine\0--a").as_deref(), Some("kine"));
        assert_eq!(component("/x/containerd-shim-runc-v2\0").as_deref(), Some("containerd-shim-runc-v2"));
        assert_eq!(component("sh\0-c"), None);
    }

    #[test]
    fn proportional_memory_is_in_mebibytes() {
        assert_eq!(proportional("5500-7fff ---p [rollup]\nRss: 9 kB\nPss:    2048 kB\n"), Some(2.0));
    }
}
