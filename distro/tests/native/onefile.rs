//! The one file that `skerry sk8s` makes, named by `SK8S_FILE`, on a machine that has nothing else of a node.

use std::process::Child;

use super::{eventually, machine::Machine};

const LOG: &str = "/var/log/sk8s.log";
const SHELF: &str = "/var/lib/sk8s/components";

struct Node {
    machine: Machine,
    file: String,
}

impl Node {
    fn start(&self) -> Child {
        self.machine.start(&[&self.file, "controller", "--single"], LOG)
    }

    fn said(&self, words: &[&str]) -> String {
        let out = self.machine.run(&[&[self.file.as_str()], words].concat());
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    fn shelf(&self) -> Vec<String> {
        self.machine.shell(&format!("ls {SHELF}")).lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.machine.shell(&format!("tail -n 40 {LOG}")));
        }
    }
}

/// Kills the program as soon as a file of the payload is being written.
fn killed_half_way(node: &Node) {
    let mut process = node.start();
    let script = format!("until [ \"$(find {SHELF} -type f)\" ]; do sleep 0.02; done; pkill -KILL -x sk8s");
    node.machine.shell(&script);
    process.wait().expect("ended");
    let left = node.shelf();
    assert!(left.len() == 1 && left[0].contains(".part-"), "{left:?}");
}

#[test]
#[ignore = "needs root, systemd and the file that `skerry sk8s` makes"]
fn a_node_runs_from_one_file_that_was_killed_half_way_before() {
    let file = std::env::var("SK8S_FILE").expect("SK8S_FILE is set");
    let node = Node { machine: Machine::boot_alone("barn"), file };
    killed_half_way(&node);
    let mut process = node.start();
    eventually("the node is ready", || {
        node.said(&["status"]).lines().next().is_some_and(|line| line.contains("  ready  ")).then_some(())
    });
    let shelf = node.shelf();
    assert!(shelf.len() == 1 && !shelf[0].contains(".part-"), "{shelf:?}");
    for program in ["kine", "containerd"] {
        let path = node.machine.shell(&format!("readlink /proc/$(pgrep -x {program})/exe"));
        assert_eq!(path, format!("{SHELF}/{}/bin/{program}", shelf[0]));
    }
    let replicas = ["kubectl", "-n=kube-system", "get", "deployment", "coredns", "-o=jsonpath={.status.readyReplicas}"];
    eventually("a pod of an image that it carries runs", || (node.said(&replicas) == "1").then_some(()));
    node.machine.shell("pkill -TERM -x sk8s");
    assert!(process.wait().expect("ended").success());
}
