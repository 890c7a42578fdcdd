//! Looks at the machine.

use std::{io::Read as _, net::ToSocketAddrs as _, path::Path};

use super::{FEATURES, Snapshot, Sources, checks::PROGRAMS, sockets};
use crate::{
    paths::Paths,
    payload::{self, Payload},
    status,
    sys::{cgroup, clock, fs, machine, process},
};

/// Looks. What cannot be looked at is taken as not there.
#[must_use]
pub fn observe(paths: &Paths) -> Snapshot {
    let kernel = text("/proc/sys/kernel/osrelease").trim().to_owned();
    let sources = sources(&kernel);
    let meminfo = text("/proc/meminfo");
    let cgroups = cgroup::version();
    Snapshot {
        memory_mib: mib(&meminfo, "MemTotal:"),
        swap_mib: mib(&meminfo, "SwapTotal:"),
        disk: fs::space(&paths.data).ok(),
        controllers: match cgroups {
            cgroup::Version::V2 => words(&text("/sys/fs/cgroup/cgroup.controllers")),
            cgroup::Version::V1 => version_1(&text("/proc/cgroups")),
        },
        cgroups,
        features: FEATURES.iter().map(|feature| (feature.module, sources.presence(feature))).collect(),
        kernel,
        architecture: std::env::consts::ARCH.to_owned(),
        programs: PROGRAMS.into_iter().filter(|name| process::find(name).is_some()).collect(),
        spare: PROGRAMS.into_iter().filter(|name| spare(name, paths)).collect(),
        now: clock::now(),
        ports: sockets::listening(&[text("/proc/net/tcp"), text("/proc/net/tcp6")]),
        running: status::pid(&paths.status_socket()).is_some(),
        localhost: ("localhost", 0).to_socket_addrs().map(|found| found.map(|a| a.ip()).collect()).unwrap_or_default(),
        host_name: machine::host_name(),
        address: machine::observe(None).map(|machine| machine.address),
        watchers: text("/proc/sys/fs/inotify/max_user_instances").trim().parse().ok(),
    }
}

/// Whether we have a program to spare: among components that lie ready, or behind our own program.
fn spare(name: &str, paths: &Paths) -> bool {
    let carried = || {
        let place = payload::path_of(&Paths::default().spare().join(name))?;
        let own = Payload::own().ok().flatten()?;
        own.index().files().iter().find(|file| file.path == place).map(drop)
    };
    paths.spare().join(name).is_file() || carried().is_some()
}

fn text(path: &str) -> String {
    fs::read_lossy(Path::new(path)).unwrap_or_default()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

/// The enabled controllers that `/proc/cgroups` lists, whose last column is 1.
fn version_1(text: &str) -> Vec<String> {
    let enabled =
        text.lines().filter(|line| !line.starts_with('#') && line.split_whitespace().next_back() == Some("1"));
    enabled.filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect()
}

fn mib(meminfo: &str, key: &str) -> u64 {
    let line = meminfo.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn sources(kernel: &str) -> Sources {
    let modules = format!("/lib/modules/{kernel}");
    let running = fs::read_bytes(Path::new("/proc/config.gz")).ok().and_then(|bytes| unpacked(&bytes));
    let written = || text(&format!("/boot/config-{kernel}"));
    let shipped = || text(&format!("{modules}/config"));
    let config = running.unwrap_or_else(|| Some(written()).filter(|text| !text.is_empty()).unwrap_or_else(shipped));
    Sources {
        config,
        loaded: text("/proc/modules"),
        builtin: text(&format!("{modules}/modules.builtin")),
        modules: text(&format!("{modules}/modules.dep")),
        filesystems: text("/proc/filesystems"),
    }
}

/// A kernel's configuration is some 300 KB; ten times that is none.
const LIMIT: u64 = 4 << 20;

fn unpacked(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).take(LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switched_off_controllers_are_not_counted() {
        let text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t9\t1\nmemory\t4\t9\t0\n";
        assert_eq!(version_1(text), ["cpu"]);
    }

    #[test]
    fn memory_is_counted_in_mib() {
        assert_eq!(mib("MemTotal:        2028928 kB\nSwapTotal:       0 kB\n", "MemTotal:"), 1981);
        assert_eq!(mib("", "SwapTotal:"), 0);
    }
}
