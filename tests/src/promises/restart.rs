//! Restarts, orderly and not, and the end.

use skerry_qemu::Deadline;

use super::workload;
use crate::{
    Broken, Check,
    kubectl::{BUSYBOX, Kubectl},
    node::{INSPECTOR, Node},
};

/// Seconds from the restart to a working Deployment under emulation.
const BACK: u64 = 420;
/// Seconds in which every pod runs again after that: what the API says of pods may still be of the time before.
const SETTLED: u64 = 240;
/// systemd restarts the system in order on this signal to its process 1 (SIGRTMIN+5, `systemd(1)`).
const REBOOT: &str = "kill -39 1";
/// The kernel restarts at once, as if the reset button were pressed: nothing is written back.
const RESET: &str = "echo b >/proc/sysrq-trigger";

/// The cluster's objects and the pods' work survive a reboot in order.
pub fn reboot(node: &mut Node) -> Check {
    survives(node, &REBOOT.replace("kill", &format!("{BUSYBOX} kill")))
}

/// They survive a reset too.
pub fn reset(node: &mut Node) -> Check {
    survives(node, RESET)
}

fn survives(node: &Node, script: &str) -> Check {
    let (namespace, boot) = (uid(&node.kubectl)?, boot_id(&node.kubectl)?);
    // The connection ends with the machine.
    let _ = node.kubectl.shell(INSPECTOR, script);
    node.kubectl.until("the node is Ready after the restart", Deadline::seconds(BACK), |kubectl| {
        kubectl.node_ready()?;
        if boot_id(kubectl)? == boot { Err(Broken::new("it has not restarted")) } else { Ok(()) }
    })?;
    for pod in ["client", INSPECTOR] {
        node.kubectl.until("pods run again", Deadline::seconds(SETTLED), |k| k.pod_ready(pod))?;
    }
    workload::available(&node.kubectl, SETTLED)?;
    workload::fetch(&node.kubectl, "web.default.svc.cluster.local", SETTLED)?;
    if uid(&node.kubectl)? == namespace { Ok(()) } else { Err(Broken::new("it is another cluster")) }
}

/// The power button leads to an orderly end.
pub fn stops(node: &mut Node) -> Check {
    node.stop()?;
    let console = node.console()?;
    if console.contains("reboot: Power down") {
        return Ok(());
    }
    let lines: Vec<&str> = console.lines().collect();
    Err(Broken(format!("the kernel did not power off:\n{}", lines[lines.len().saturating_sub(15)..].join("\n"))))
}

/// The kernel's name of this boot, as the node reports it.
fn boot_id(kubectl: &Kubectl) -> Check<String> {
    Ok(kubectl.node_ready()?["status"]["nodeInfo"]["bootID"].to_string())
}

/// What tells this cluster from any other.
fn uid(kubectl: &Kubectl) -> Check<String> {
    Ok(kubectl.json(&["get", "namespace", "kube-system"])?["metadata"]["uid"].to_string())
}
