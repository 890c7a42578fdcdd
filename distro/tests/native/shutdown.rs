//! A machine that is switched off while pods work.

use super::{eventually, machine::Machine, service::Node};

const INSTALL: [&str; 4] = ["install", "controller", "--single", "--start"];

/// A pod that takes two seconds to put its work away, and one that ends only by the signal that its image asks for.
fn careful(folder: &str) -> String {
    let container = |name: &str, trap: &str| {
        format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers:
  - name: {name}
    image: BUSYBOX
    command: [/bin/busybox, sh, -c, 'trap \"{trap}\" TERM; echo begun > /kept/{name}; while :; do busybox sleep 0.2; done']
    volumeMounts: [{{name: work, mountPath: /kept}}]
  volumes:
  - {{name: work, hostPath: {{path: {folder}}}}}
---"
        )
    };
    let tidy = "busybox sleep 2; echo done > /kept/tidy; exit 0";
    container("tidy", tidy) + &container("stubborn", "echo ignored > /kept/stubborn")
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn containers_put_their_work_away_before_the_machine_is_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let work = folder.path().display().to_string();
    let said = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let node = Node(Machine::boot_alone("barn"));
    node.does(&INSTALL);
    node.wait_ready();
    node.apply("careful.yaml", &careful(&work));
    for name in ["tidy", "stubborn"] {
        eventually(&format!("{name} works"), || (said(name) == "begun\n").then_some(()));
    }
    node.0.run(&["systemctl", "--no-block", "poweroff"]);
    eventually("the machine is off", || node.0.is_off().then_some(()));
    assert_eq!((said("tidy").as_str(), said("stubborn").as_str()), ("done\n", "ignored\n"));
}
