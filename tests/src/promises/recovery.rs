//! A component that is killed comes back by itself, and the cluster works again.

use skerry_qemu::Deadline;

use super::workload;
use crate::{
    Broken, Check,
    kubectl::BUSYBOX,
    node::{INSPECTOR, Node},
};

/// Seconds in which a killed component must serve again: enough for emulation on a busy machine
const BACK: u64 = 400;

/// The API serves again, and goes before all others no longer.
pub fn apiserver(node: &mut Node) -> Check {
    const SHARE: &str = "cat /host/sys/fs/cgroup/system.slice/sk8s.service/kube-apiserver/cpu.weight";
    let share = |node: &Node| node.kubectl.shell(INSPECTOR, &format!("{BUSYBOX} {SHARE}"));
    let before = share(node)?;
    killed(node, "kube-apiserver")?;
    node.kubectl.until("it has the share that it had", Deadline::seconds(60), |_| {
        let after = share(node)?;
        if after == before { Ok(()) } else { Err(Broken(format!("{after} after {before}"))) }
    })
}

/// The database serves again, and what was written is there.
pub fn kine(node: &mut Node) -> Check {
    killed(node, "kine")
}

/// New containers start again, and those that ran were not restarted.
pub fn containerd(node: &mut Node) -> Check {
    let before = container(node)?;
    killed(node, "containerd")?;
    let after = container(node)?;
    if before != after {
        return Err(Broken(format!("the running pod's container changed from {before} to {after}")));
    }
    node.kubectl.run(&["delete", "pod", "--selector=app=web"])?;
    workload::available(&node.kubectl, BACK)
}

/// Kills a component's process and waits until another one does its work.
fn killed(node: &Node, component: &str) -> Check {
    let before = node.process(component)?;
    // The answer may be lost with the process that carries it.
    let _ = node.kubectl.shell(INSPECTOR, &format!("{BUSYBOX} kill -9 {before}"));
    let deadline = Deadline::seconds(BACK);
    node.kubectl.until(&format!("`{component}` is back"), deadline, |kubectl| {
        kubectl.run(&["get", "--raw", "/readyz"])?;
        kubectl.node_ready()?;
        let now = node.process(component)?;
        if now == before { Err(Broken::new("the process was not killed")) } else { Ok(()) }
    })?;
    workload::fetch(&node.kubectl, "web.default.svc.cluster.local", 60)
}

/// Identity and restarts of the client pod's container.
fn container(node: &Node) -> Check<String> {
    let pod = node.kubectl.json(&["get", "pod", "client"])?;
    let status = &pod["status"]["containerStatuses"][0];
    Ok(format!("{} after {} restarts", status["containerID"], status["restartCount"]))
}
