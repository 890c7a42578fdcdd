//! Machines whose address changes while they run, as a new lease brings it about.

use super::{
    eventually,
    join::tower,
    lan::Lan,
    machine::Machine,
    node::Node,
    several::{spread, workers},
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");

/// The new address comes, the old one goes, and with it the routes that it was the source of.
fn move_to(machine: &Machine, interface: &str, (old, new, gateway): (&str, &str, &str)) {
    let done = machine.run(&[
        "sh",
        "-ec",
        &format!(
            "ip addr add {new}/24 dev {interface}; ip addr del {old}/24 dev {interface}
             ip addr show dev {interface} | grep -q {new} || ip addr add {new}/24 dev {interface}
             ip route replace default via {gateway}"
        ),
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn known_at(node: &Node, name: &str, address: &str) {
    let asked = ["get", "node", name, "-o", "jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}"];
    eventually(&format!("{name} is known at {address}"), || (node.said(&asked) == address).then_some(()));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_node_goes_on_at_another_address() {
    let node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = node.said(&life);
    move_to(&node.machine, "up0", ("192.0.2.10", "192.0.2.77", "192.0.2.1"));
    known_at(&node, "barn", "192.0.2.77");
    node.wait_ready();
    assert_web_answers(&node);
    assert_eq!(node.said(&life), before, "its pods run on");
    let outside = ["--server=https://192.0.2.77:6443", "get", "--raw=/readyz"];
    eventually("the API proves itself there", || (node.said(&outside) == "ok").then_some(()));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn pods_of_other_nodes_find_a_worker_that_moved() {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, "");
    let (mill, barn) = workers(&lan, &tower, &good);
    mill.wait_ready();
    barn.wait_ready();
    tower.apply("web.yaml", &spread());
    assert_web_answers(&tower);
    move_to(&mill.machine, "eth0", ("192.168.99.2", "192.168.99.22", "192.168.99.254"));
    known_at(&tower, "mill", "192.168.99.22");
    mill.wait_ready();
    assert_web_answers(&tower);
}
