//! What runs containers beside runc, and instead of sk8s' own containerd.

use super::{
    eventually,
    machine::Machine,
    node::{Node, folder_of, images},
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");

const HEATHER: &str = "
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: heath}
handler: heath
---
apiVersion: v1
kind: Pod
metadata: {name: heather}
spec:
  runtimeClassName: heath
  containers:
  - {name: main, image: BUSYBOX, command: [/bin/busybox, sleep, '100000']}
";

/// A runtime of the owner's own: runc under another name, which keeps its state elsewhere.
const HEATH: &str = "version = 3
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.heath]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.heath.options]
BinaryName = 'COMPONENTS/runc'
Root = '/run/heath'
";

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_pod_chooses_a_runtime_of_the_owners() {
    let machine = Machine::boot_alone("barn");
    let heath = HEATH.replace("COMPONENTS", &folder_of("SK8S_COMPONENTS").display().to_string());
    machine.shell(&format!(
        "mkdir -p /etc/sk8s/containerd.d; cat > /etc/sk8s/containerd.d/heath.toml <<'END'\n{heath}\nEND"
    ));
    let node = Node::start(machine, &["controller", "--single"]);
    node.wait_ready();
    let kept = "ls /run/heath/k8s.io 2> /dev/null | wc -l";
    assert_eq!(node.machine.shell(kept), "0", "nothing runs in it yet");
    node.apply("heath.yaml", HEATHER);
    eventually("a pod runs in it", || {
        let said = node.said(&["exec", "heather", "--", "/bin/busybox", "echo", "hello"]);
        (said == "hello").then_some(())
    });
    assert_ne!(node.machine.shell(kept), "0", "its containers are there");
}

/// A runtime as a distribution would install it.
const SMITH: &str = "version = 3
root = '/var/lib/smith'
state = '/run/smith'
[grpc]
address = '/run/smith/smith.sock'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = 'PAUSE'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.internal.v1.opt']
path = '/var/lib/smith/opt'
";

fn start_smith(machine: &Machine) {
    let components = folder_of("SK8S_COMPONENTS").display().to_string();
    let config = SMITH.replace("PAUSE", &images()["pause"]);
    machine.shell(&format!("mkdir -p /etc/smith; cat > /etc/smith/config.toml <<'END'\n{config}\nEND"));
    let done = machine.run(&[
        "systemd-run",
        "--unit=smith",
        "--property=Delegate=yes",
        "--property=KillMode=process",
        &format!("--setenv=PATH={components}:/usr/sbin:/usr/bin:/sbin:/bin"),
        &format!("{components}/containerd"),
        "--config=/etc/smith/config.toml",
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn containers_run_in_a_runtime_that_the_machine_has_already() {
    let machine = Machine::boot_alone("forge");
    start_smith(&machine);
    let before = machine.shell("ls -R /etc/cni /opt/cni 2>&1");
    let mut node = Node::start(machine, &["controller", "--single", "--cri-socket=unix:///run/smith/smith.sock"]);
    let status = node.wait_ready();
    assert!(status.components.iter().all(|component| component.name != "containerd"));
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let shims = "pgrep -fc 'containerd-shim.*-address /run/smith/smith.sock'";
    assert_ne!(node.machine.shell(shims), "0", "pods are in it");
    assert_eq!(node.machine.shell("ls /run/sk8s/containerd.sock 2> /dev/null"), "");

    node.kill_and_start();
    node.wait_ready();
    assert_web_answers(&node);

    node.stop();
    let refused = node.sk8s(&["reset"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("unix:///run/smith/smith.sock rmp --all --force"), "{said}");
    assert_ne!(node.machine.shell(shims), "0", "what was refused did nothing");
    node.machine.shell("systemctl stop smith; pkill -KILL containerd-shim; pkill -KILL busybox; pkill -KILL pause; pkill -KILL coredns");
    let done = eventually("it resets once no pod runs", || {
        let out = node.sk8s(&["reset"]);
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    });
    assert_eq!(node.machine.shell("ls -R /etc/cni /opt/cni 2>&1"), before, "{done}");
    assert_eq!(node.machine.shell("ls -d /var/lib/sk8s /run/sk8s /var/lib/kubelet 2> /dev/null"), "", "{done}");
    assert_ne!(node.machine.shell("ls /var/lib/smith"), "", "the runtime's own is not ours to remove");
}
