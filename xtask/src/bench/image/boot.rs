//! From power on to Ready, by phase.

use serde_json::Value;
use skerry_qemu::Deadline;
use skerry_tests::{
    kubectl::BUSYBOX,
    lab::Lab,
    node::{INSPECTOR, Node},
};

use super::{
    super::table::{Table, Unit},
    build::Built,
};

/// Boots the image as a user would and reads the phases from the node itself.
pub fn measure(lab: &Lab, built: &Built, table: &mut Table) -> Result<Node, String> {
    table.section("boot");
    let failed = |error: skerry_tests::Broken| error.to_string();
    let node = Node::boot(lab, built.image()?, Deadline::seconds(900)).map_err(failed)?;
    table.note("power on to Ready, as the host sees it", node.ready_seconds as f64, Unit::Seconds);
    node.inspector().map_err(failed)?;
    let read = |script: &str| node.kubectl.shell(INSPECTOR, script).map_err(failed);
    phases(&read(&format!("{BUSYBOX} cat /host/run/skerry/boot.json"))?, table)?;
    timeline(&read(&format!("{BUSYBOX} chroot /host /usr/bin/sk8s status -o json"))?, table)?;
    Ok(node)
}

/// The initrd's phases: `{"phases": [{"name": …, "at-ms": …}]}`, milliseconds since the kernel's start.
fn phases(json: &str, table: &Table) -> Result<(), String> {
    let boot: Value = serde_json::from_str(json).map_err(|error| format!("boot.json: {error}"))?;
    for phase in boot["phases"].as_array().into_iter().flatten() {
        let name = phase["name"].as_str().unwrap_or("?");
        table.note(&format!("  kernel's start to {name}"), seconds(phase)?, Unit::Seconds);
    }
    Ok(())
}

fn timeline(json: &str, table: &Table) -> Result<(), String> {
    let status: Value = serde_json::from_str(json).map_err(|error| format!("sk8s status: {error}"))?;
    for moment in status["timeline"].as_array().into_iter().flatten() {
        let event = moment["event"].as_str().unwrap_or("?");
        table.note(&format!("  sk8s' start to {event}"), seconds(moment)?, Unit::Seconds);
    }
    Ok(())
}

fn seconds(moment: &Value) -> Result<f64, String> {
    moment["at-ms"].as_f64().map(|ms| ms / 1000.0).ok_or_else(|| format!("no `at-ms` in {moment}"))
}
