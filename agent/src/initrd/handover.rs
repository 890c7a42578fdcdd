//! Over to the verified root's systemd.

use std::{convert::Infallible, path::Path};

use skerry_formats::cmdline::RootRef;

use super::{InitError, Log, SYSROOT, choose::Found};
use crate::{
    boot_report::{self, BootReport},
    sys::{fs, mount, process},
};

/// The root's first process.
const SYSTEMD: &str = "/usr/lib/systemd/systemd";
/// What the initial RAM disk holds, and what takes memory as long as it is there.
const LEFTOVERS: [&str; 4] = ["/usr", "/etc", "/seeds", "/init"];

/// Leaves the report, frees the initial RAM disk's memory, and becomes systemd.
pub fn to_systemd(found: &Found, wanted: &RootRef, log: &mut Log) -> Result<Infallible, InitError> {
    log.done("handover");
    let report = BootReport {
        slot: found.slot,
        root_hash: wanted.root_hash,
        boot_disk: found.disk.disk.name.clone(),
        phases: std::mem::take(&mut log.phases),
    };
    let text = serde_json::to_vec(&report).unwrap_or_default();
    fs::write_atomic(Path::new(boot_report::PATH), &text, 0o644).map_err(InitError::Files)?;
    for leftover in LEFTOVERS {
        fs::remove_all(Path::new(leftover)).map_err(InitError::Files)?;
    }
    mount::become_root(Path::new(SYSROOT)).map_err(InitError::Mount)?;
    process::become_program(SYSTEMD).map_err(InitError::Handover)
}
