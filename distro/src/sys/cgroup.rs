//! Control groups, version 2: one for the supervisor, one per component, one for what outlives us.

use std::path::{Path, PathBuf};

use super::fs;
use crate::component::KillScope;

/// Which control groups the kernel gives us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one unified tree.
    V2,
    /// The old trees, one a controller: components then share our own group.
    V1,
}

/// Limits of a component's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Above this many MiB the kernel takes memory back and slows the component down.
    pub memory_high_mib: u64,
    /// Share of processor time among our components; 100 is even.
    pub cpu_weight: u16,
    /// The share of one that is not ready yet.
    pub cpu_weight_at_start: u16,
}

const ROOT: &str = "/sys/fs/cgroup";

/// The group, at the root of the tree, of the shims that keep pods alive while we restart.
const SHIMS: &str = "/sk8s-shims";

/// The group for shims, made if need be; `None` where we may not.
#[must_use]
pub fn shims() -> Option<&'static str> {
    let group = Path::new(ROOT).join(SHIMS.trim_start_matches('/'));
    let made = version() == Version::V2 && fs::make_kernel_folder(&group).is_ok();
    made.then_some(SHIMS)
}

/// Looks at what is mounted.
#[must_use]
pub fn version() -> Version {
    if fs::exists(&Path::new(ROOT).join("cgroup.controllers")) { Version::V2 } else { Version::V1 }
}

/// Our own part of the tree.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    /// Moves the supervisor into a group of its own below the one it was started in, so that components can have theirs
    /// beside it; `None` where the kernel or whoever started us does not let us.
    #[must_use]
    pub fn claim() -> Option<Self> {
        if version() != Version::V2 {
            return None;
        }
        let own = fs::read_to_string(Path::new("/proc/self/cgroup")).ok()?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let own = own.strip_suffix("supervisor").map_or(own, |home| home.trim_end_matches('/'));
        if own.is_empty() {
            return None;
        }
        let home = Self(Path::new(ROOT).join(own));
        match home.settle() {
            Ok(()) => Some(home),
            Err(error) => {
                tracing::warn!(%error, "no control groups of our own");
                None
            }
        }
    }

    fn settle(&self) -> fs::Result<()> {
        let supervisor = self.0.join("supervisor");
        fs::make_kernel_folder(&supervisor)?;
        fs::write_kernel(&supervisor.join("cgroup.procs"), "0")?;
        let control = self.0.join("cgroup.subtree_control");
        ["+memory", "+cpu", "+pids"].iter().try_for_each(|controller| fs::write_kernel(&control, controller))
    }

    /// Ends what a previous life left in a component's group, if that is ended with the component, and sets the group's limits
    /// as they are for a start. In containerd's are the shims of runtimes that know no group of their own: pods live by them.
    ///
    /// # Errors
    /// If the group cannot be made.
    pub fn prepare(&self, component: &str, limits: Limits, scope: KillScope) -> fs::Result<()> {
        let group = self.0.join(component);
        if scope == KillScope::Group && fs::exists(&group) {
            fs::write_kernel(&group.join("cgroup.kill"), "1")?;
        }
        fs::make_kernel_folder(&group)?;
        fs::write_kernel(&group.join("memory.high"), &format!("{}M", limits.memory_high_mib))?;
        self.weigh(component, limits.cpu_weight_at_start)
    }

    /// Sets a component's share of processor time.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn weigh(&self, component: &str, weight: u16) -> fs::Result<()> {
        fs::write_kernel(&self.0.join(component).join("cpu.weight"), &weight.to_string())
    }

    /// Puts a process into a component's group.
    ///
    /// # Errors
    /// If the process is gone or the kernel refuses.
    pub fn adopt(&self, component: &str, pid: u32) -> fs::Result<()> {
        fs::write_kernel(&self.0.join(component).join("cgroup.procs"), &pid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { memory_high_mib: 64, cpu_weight: 100, cpu_weight_at_start: 500 };

    #[test]
    fn a_component_has_the_share_of_a_start_until_it_is_given_another() {
        let root = tempfile::tempdir().expect("a folder");
        let home = Home(root.path().to_owned());
        let said = |name: &str| fs::read_to_string(&root.path().join("kine").join(name)).expect("written");
        home.prepare("kine", LIMITS, KillScope::Group).expect("prepared");
        assert_eq!([said("memory.high"), said("cpu.weight")], ["64M", "500"]);
        home.weigh("kine", LIMITS.cpu_weight).expect("weighed");
        assert_eq!(said("cpu.weight"), "100");
    }

    #[test]
    fn what_outlives_a_component_is_not_killed_when_it_starts_again() {
        let root = tempfile::tempdir().expect("a folder");
        let home = Home(root.path().to_owned());
        let killed = |name: &str, scope| {
            for _ in 0..2 {
                home.prepare(name, LIMITS, scope).expect("prepared");
            }
            fs::exists(&root.path().join(name).join("cgroup.kill"))
        };
        assert!(killed("kine", KillScope::Group));
        assert!(!killed("containerd", KillScope::Process));
    }
}
