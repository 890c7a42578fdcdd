//! Images without a registry.

use super::{eventually, machine::Machine, node::Node};

const FOREIGN: &str = "example.com/qq/busybox";

/// Runs containerd's client on the node's images.
fn ctr(node: &Node, words: &str) -> String {
    let program = format!("{}/containerd", std::env::var("SK8S_COMPONENTS").expect("checked before"));
    node.machine.shell(&format!("{program} ctr --address /run/sk8s/containerd.sock --namespace k8s.io images {words}"))
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn an_archive_in_the_folder_is_imported_pinned_and_let_go_with_it() {
    let node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    let listed = String::from_utf8(node.sk8s(&["airgap", "list-images"]).stdout).expect("text");
    assert_eq!(listed.lines().count(), 2, "{listed}");
    for image in listed.lines() {
        assert!(ctr(&node, "list -q").contains(image), "{image}");
    }

    // The same image by another name of the same length.
    let archive = format!("{}/busybox.tar", std::env::var("SK8S_IMAGES").expect("checked before"));
    let rename = format!("sed -e 's#localhost/sk8s/busybox#{FOREIGN}#g' {archive}");
    node.machine.shell("mkdir -p /var/lib/sk8s/images; echo none > /var/lib/sk8s/images/broken.tar");
    node.machine.shell(&format!("{rename} > /var/lib/sk8s/images/app.tar"));
    eventually("the image is there", || ctr(&node, "list -q").contains(FOREIGN).then_some(()));
    eventually("what is no archive is named", || node.log().contains("broken.tar").then_some(()));
    let image = ctr(&node, "list -q").lines().find(|name| name.starts_with(FOREIGN)).expect("listed").to_owned();
    node.said(&[
        "run",
        "app",
        &format!("--image={image}"),
        "--image-pull-policy=Never",
        "--",
        "/bin/busybox",
        "sleep",
        "9999",
    ]);
    eventually("a pod runs it", || {
        (node.said(&["get", "pod", "app", "-o", "jsonpath={.status.phase}"]) == "Running").then_some(())
    });
    let pinned = || {
        let list = ctr(&node, "list");
        list.lines().find(|line| line.starts_with(FOREIGN)).expect("listed").contains("pinned=pinned")
    };
    assert!(pinned());
    node.machine.shell("rm /var/lib/sk8s/images/app.tar");
    eventually("it may be collected", || (!pinned()).then_some(()));
}
