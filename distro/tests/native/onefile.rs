//! The one file that `skerry sk8s` makes, named by `SK8S_FILE`, on a machine that has nothing else of a node.

use super::{eventually, machine::Machine, node::Node};

const SHELF: &str = "/var/lib/sk8s/components";

fn shelf(node: &Node) -> Vec<String> {
    node.machine.shell(&format!("ls {SHELF}")).lines().map(ToOwned::to_owned).collect()
}

/// Kills the program as soon as a file of the payload is being written.
fn is_killed_half_way(node: &Node) {
    let script =
        format!("until [ \"$(find {SHELF} -type f)\" ]; do sleep 0.02; done; pkill -KILL -x sk8s || echo none");
    assert_eq!(node.machine.shell(&script), "", "the file is to be named `sk8s`");
    let left = shelf(node);
    assert!(left.len() == 1 && left[0].contains(".part-"), "{left:?}");
}

#[test]
#[ignore = "needs root, systemd and the file that `skerry sk8s` makes"]
fn a_node_runs_from_one_file_that_was_killed_half_way_before() {
    let file = std::env::var("SK8S_FILE").expect("SK8S_FILE is set");
    let mut node = Node::start_file(Machine::boot_alone("barn"), &file, &["controller", "--single"]);
    is_killed_half_way(&node);
    node.start_again();
    node.wait_ready();
    let shelf = shelf(&node);
    assert!(shelf.len() == 1 && !shelf[0].contains(".part-"), "{shelf:?}");
    for program in ["kine", "containerd"] {
        let path = node.machine.shell(&format!("readlink /proc/$(pgrep -x {program})/exe"));
        assert_eq!(path, format!("{SHELF}/{}/bin/{program}", shelf[0]));
    }
    let replicas = ["-n=kube-system", "get", "deployment", "coredns", "-o=jsonpath={.status.readyReplicas}"];
    eventually("a pod of an image that it carries runs", || (node.said(&replicas) == "1").then_some(()));
    node.stop();
}
