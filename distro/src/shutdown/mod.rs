//! The machine is switched off in order: containers are asked to end, each by its own signal, before containerd goes. The kubelet
//! has gone by then and starts none again; pods stay what they are in the API, and are there again after the next start.
//!
//! Only where the machine itself goes down: when sk8s alone is ended, pods run on.

mod containers;

use std::path::Path;

pub use containers::end;

use crate::sys::{fs, process};

/// Whether the machine is being switched off or started again, as far as its service manager says: systemd answers `stopping`,
/// OpenRC has a file.
#[must_use]
pub fn is_under_way() -> bool {
    fs::exists(Path::new("/run/openrc/rc.stopping"))
        || process::answer(Path::new("systemctl"), &["is-system-running"]).trim() == "stopping"
}
