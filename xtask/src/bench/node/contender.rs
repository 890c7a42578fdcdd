//! A cluster's processes in namespaces of their own on this machine.

use std::{
    path::{Path, PathBuf},
    process::Child,
};

use crate::{files, process};

/// Makes folders that components take for the machine's own, and starts what it is given. `alone` has an address and a route
/// that lead nowhere; otherwise it waits for a link from outside.
const INSIDE: &str = "set -eu
ip link set lo up
for folder in /var/log /run /var/lib/cni; do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done
hostname $2
if [ $1 = alone ]; then ip link add up0 type veth peer name up1; ip link set up1 up
else while ! ip link show up0 >/dev/null 2>&1; do sleep 0.02; done; fi
ip address add $1 dev up0 2>/dev/null || ip address add 192.0.2.10/24 dev up0
ip link set up0 up
ip route add default via 192.0.2.1
shift 2
exec \"$@\"";

/// One that runs.
pub struct Contender {
    process: Child,
    init: u32,
    /// Everything that it writes lies here.
    pub work: PathBuf,
}

impl Contender {
    /// Starts `words` in namespaces. `place` is `alone`, or the address it has once [`wire`] has linked it.
    pub fn start(work: &Path, (place, name): (&str, &str), words: &[&str]) -> Result<Self, String> {
        files::remove_all(work)?;
        files::create_dir_all(work)?;
        let all =
            ["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", INSIDE, "in"];
        let all = [&all[..], &[place, name], words].concat();
        let process = process::start("unshare", &all, &work.join("log"))?;
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let (init, _) =
            process::until("its first process", || files::read(Path::new(&children)).ok()?.trim().parse().ok())?;
        Ok(Self { process, init, work: work.to_owned() })
    }

    /// Links two that wait for it.
    pub fn wire(&self, other: &Self) {
        let (own, other) = (self.init.to_string(), other.init.to_string());
        let peer = ["ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", &other];
        process::said("nsenter", &[&["-t", &own, "-n"], &peer[..]].concat());
    }

    /// What a program in its namespaces prints.
    pub fn said(&self, words: &[&str]) -> String {
        process::said("nsenter", &[&["-t", &self.init.to_string(), "-n", "-m", "-p", "-u", "--"], words].concat())
    }

    /// The processes in its namespaces, those in containers left out.
    pub fn processes(&self) -> Vec<PathBuf> {
        let space = |process: &Path| files::read_link(&process.join("ns/pid"));
        let own = space(Path::new(&format!("/proc/{}", self.init)));
        let all = files::list(Path::new("/proc"));
        all.into_iter().filter(|path| space(path).is_some() && space(path) == own).collect()
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
