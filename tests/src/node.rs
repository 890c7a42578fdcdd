//! A booted node, run by the very command that a user gives: `skerry vm IMAGE`.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use serde_json::json;
use skerry_qemu::{Deadline, files};

use crate::{Broken, Check, kubectl::Kubectl, lab::Lab, process::Background};

/// A node that became Ready.
#[derive(Debug)]
pub struct Node {
    vm: Background,
    state: PathBuf,
    /// The client that reaches it.
    pub kubectl: Kubectl,
    /// Name of the preloaded image that pods of the tests run.
    pub busybox: String,
    /// Seconds from power on to Ready, as `skerry vm` counts them.
    pub ready_seconds: u64,
}

/// The pod that sees the whole node.
pub const INSPECTOR: &str = "inspector";

impl Node {
    /// Boots an image and waits until `skerry vm` says that its node is Ready.
    ///
    /// # Errors
    /// If it says anything else, or nothing within the deadline.
    pub fn boot(lab: &Lab, image: &Path, deadline: Deadline) -> Check<Self> {
        let state = lab.scratch("node");
        let args = ["vm", "--state"].map(OsStr::new);
        let args = [args[0], image.as_os_str(), args[1], state.as_os_str()];
        let mut vm = Background::start(lab.skerry(), &args, &lab.scratch("vm.log"))?;
        let booted = vm.line_with("try: ", deadline).and_then(|hint| {
            let ready = vm.line_with(" is Ready after ", deadline)?;
            Ok((hint, ready))
        });
        let (hint, ready) = booted.map_err(|Broken(why)| Broken(format!("{why}\n{}", console_tail(&state))))?;
        let command = hint.split_once("try: ").and_then(|(_, rest)| rest.split_once(" get pods"));
        let (command, _) = command.ok_or_else(|| Broken(format!("no command in `{hint}`")))?;
        let seconds = ready.split_once(" after ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let kubectl = Kubectl::new(command.to_owned(), lab.interrupt.clone());
        let busybox = preloaded(&kubectl, "busybox")?;
        // Pods can be made once the controller manager has made their account, a moment after the node is Ready.
        kubectl.until("the default service account exists", Deadline::seconds(300), |kubectl| {
            kubectl.run(&["get", "serviceaccount", "default"])
        })?;
        Ok(Self { vm, state, kubectl, busybox, ready_seconds: seconds.unwrap_or(0) })
    }

    /// The folder with the machine's disk, its firmware's variables and the medium with its seed.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// All that the console printed so far.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn console(&self) -> Check<String> {
        files::read_text(&self.state.join("serial.log")).map_err(Broken::when("no console log"))
    }

    /// Starts the pod that sees all processes and the whole file system (`/host`) of the node.
    ///
    /// # Errors
    /// If it does not become Ready.
    pub fn inspector(&self) -> Check {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": INSPECTOR},
            "spec": {
                "hostPID": true, "hostNetwork": true, "terminationGracePeriodSeconds": 0,
                "tolerations": [{"operator": "Exists"}],
                "containers": [{
                    "name": "busybox", "image": self.busybox, "imagePullPolicy": "Never",
                    "command": [crate::kubectl::BUSYBOX, "sleep", "1000000"],
                    "securityContext": {"privileged": true},
                    "volumeMounts": [{"name": "host", "mountPath": "/host"}],
                }],
                "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
            },
        });
        self.kubectl.apply(&pod)?;
        self.kubectl.until("the inspector pod is Ready", Deadline::seconds(300), |k| k.pod_ready(INSPECTOR)).map(|_| ())
    }

    /// Every process of the node: its id and its arguments.
    ///
    /// # Errors
    /// If the inspector cannot be reached.
    pub fn processes(&self) -> Check<BTreeMap<u32, Vec<String>>> {
        let script =
            "cd /proc; for p in [0-9]*; do printf '%s ' $p; /bin/busybox tr '\\0' '\\t' <$p/cmdline; echo; done";
        Ok(parse_processes(&self.kubectl.shell(INSPECTOR, script)?))
    }

    /// The process of a component.
    ///
    /// # Errors
    /// If there is none.
    pub fn process(&self, component: &str) -> Check<u32> {
        let all = self.processes()?;
        let found = all.iter().find(|(_, arguments)| is_component(arguments, component));
        found.map(|(id, _)| *id).ok_or_else(|| Broken(format!("no process `{component}`")))
    }

    /// Presses Ctrl-C on `skerry vm`, which stops the machine in order.
    ///
    /// # Errors
    /// If it does not end with success within two minutes.
    pub fn stop(&mut self) -> Check {
        match self.vm.interrupt(Deadline::seconds(120))? {
            Some(0) => Ok(()),
            other => Err(Broken(format!("`skerry vm` ended with {other:?} on Ctrl-C"))),
        }
    }
}

/// The last lines of a machine's console.
#[must_use]
pub fn console_tail(state: &Path) -> String {
    let text = files::read_text(&state.join("serial.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    format!("the console's last lines:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"))
}

/// The full name of a preloaded image, as the node reports it.
///
/// # Errors
/// If there is none, or no node is Ready.
pub fn preloaded(kubectl: &Kubectl, word: &str) -> Check<String> {
    let node = kubectl.node_ready()?;
    let images = node["status"]["images"].as_array().cloned().unwrap_or_default();
    let mut names = images.iter().flat_map(|image| image["names"].as_array().cloned().unwrap_or_default());
    let tagged = |name: &str| name.contains(&format!("/{word}:")) && !name.contains('@');
    names
        .find_map(|name| name.as_str().filter(|name| tagged(name)).map(str::to_owned))
        .ok_or_else(|| Broken(format!("the node has no preloaded image `{word}`")))
}

fn parse_processes(listing: &str) -> BTreeMap<u32, Vec<String>> {
    let process = |line: &str| {
        let (id, arguments) = line.split_once(' ')?;
        let arguments: Vec<String> = arguments.split_terminator('\t').map(str::to_owned).collect();
        (!arguments.is_empty()).then_some((id.parse().ok()?, arguments))
    };
    listing.lines().filter_map(process).collect()
}

/// A component is named by its program's file name, or by the first argument of Kubernetes' multi-call program.
fn is_component(arguments: &[String], component: &str) -> bool {
    let name = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut names = arguments.iter().take(2).map(name);
    match names.next() {
        Some(first) if first == "kube" => names.next().is_some_and(|second| second == component),
        Some(first) => first == component,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_by_program_or_first_argument() {
        let listing = "1 /usr/lib/systemd/systemd\t--system\t\n7 \n88 /usr/libexec/sk8s/kube\tkube-apiserver\t--x\t\n\
                       91 /usr/libexec/sk8s/kine\t--endpoint\ta b\t\n95 kubelet\t--config\t/x\t\n";
        let all = parse_processes(listing);
        let find = |name| all.iter().find(|(_, arguments)| is_component(arguments, name)).map(|(id, _)| *id);
        assert_eq!(
            ["kube-apiserver", "kine", "kubelet", "kube", "etcd"].map(find),
            [Some(88), Some(91), Some(95), None, None]
        );
        assert_eq!(all[&91][2], "a b");
    }
}
