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

#[test]
#[ignore = "needs root, systemd and the file that `skerry sk8s` makes"]
fn where_there_is_no_nft_the_one_in_the_file_does_its_work() {
    let file = std::env::var("SK8S_FILE").expect("SK8S_FILE is set");
    let machine = Machine::boot_alone("barn");
    machine.shell("mount --bind /dev/null /usr/sbin/nft");
    assert!(!machine.run(&["nft", "--version"]).status.success(), "it has none");
    let mut node = Node::start_file(machine, &file, &["controller", "--enable-worker", "--no-taints"]);
    node.wait_ready();
    let seen = String::from_utf8_lossy(&node.sk8s(&["sysinfo"]).stdout).into_owned();
    assert!(seen.contains("missing, and sk8s brings its own\n"), "{seen}");
    let replicas = ["-n=kube-system", "get", "deployment", "coredns", "-o=jsonpath={.status.readyReplicas}"];
    eventually("a pod reaches the API by its Service", || (node.said(&replicas) == "1").then_some(()));
    node.stop();
    // Another version may not understand what this one has made.
    let made = node.machine.shell(&format!("{SHELF}/*/bin/spare/nft list tables"));
    assert!(made.contains("table inet sk8s") && made.contains("table ip kube-proxy"), "{made}");
    let reset = node.sk8s(&["reset"]);
    assert!(reset.status.success(), "{}", String::from_utf8_lossy(&reset.stderr));
    assert_eq!(node.machine.shell("umount /usr/sbin/nft; nft list tables 2>&1"), "", "rules are left");
}
