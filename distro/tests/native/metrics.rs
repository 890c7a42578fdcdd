//! What nodes and pods use, as a part of the API: on a controller without pods, of a node that nobody can call.

use super::{eventually, join::tower, lan::Lan, machine::Machine, node::Node};

const BUSY: &str = include_str!("busy.yaml");

fn lists(node: &Node, what: &str, name: &str) {
    eventually(&format!("`kubectl top {what}` lists {name}"), || {
        node.said(&["top", what, "--no-headers"]).starts_with(name).then_some(())
    });
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn what_nodes_and_pods_use_is_known_and_busy_ones_become_more() {
    let lan = Lan::new();
    let (mut tower, token) = tower(&lan, "spec: {metricsServer: {enabled: true}}");
    let (_router, machine) = lan.boot_hidden("mill", [192, 168, 99, 7].into());
    let mill = Node::start(machine, &["worker", &token]);
    mill.wait_ready();
    tower.apply("busy.yaml", BUSY);
    lists(&tower, "nodes", "mill");
    lists(&tower, "pods", "busy");
    eventually("pods that are busy become more", || {
        (tower.said(&["get", "deployment", "busy", "-o", "jsonpath={.status.replicas}"]) == "2").then_some(())
    });
    tower.kill("metrics-server");
    lists(&tower, "nodes", "mill");

    // What nobody answers for is taken out of the API, in which no namespace could go otherwise.
    tower.stop();
    tower.machine.shell("echo 'spec: {metricsServer: {enabled: false}}' > /var/sk8s.yaml");
    tower.start_again();
    let objects = "apiservices,clusterroles,clusterrolebindings,services";
    let left = ["get", objects, "-A", "-o", "name", "-l", "app.kubernetes.io/managed-by=sk8s"];
    let there = || tower.sk8s(&[&["kubectl"][..], &left].concat());
    eventually("what made them a part of it is gone", || {
        let said = there();
        (said.status.success() && said.stdout.is_empty()).then_some(())
    });
    eventually("the API is without metrics", || {
        let groups = tower.said(&["api-versions"]);
        (groups.contains("apiregistration.k8s.io/v1") && !groups.contains("metrics.k8s.io")).then_some(())
    });
    tower.said(&["create", "namespace", "orchard"]);
    let gone = tower.sk8s(&["kubectl", "delete", "namespace", "orchard", "--timeout=60s"]);
    assert!(gone.status.success(), "{}", String::from_utf8_lossy(&gone.stderr));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_controller_that_runs_pods_has_both_their_network_and_their_measure() {
    let lan = Lan::new();
    let machine = lan.boot("tower", [192, 168, 99, 1].into());
    machine.shell("echo 'spec: {metricsServer: {enabled: true}}' > /var/sk8s.yaml");
    let tower = Node::start(machine, &["controller", "--enable-worker", "--config=/var/sk8s.yaml"]);
    let status = tower.wait_ready();
    for name in ["flannel", "metrics-server"] {
        assert!(status.components.iter().any(|component| component.name == name), "{name}");
    }
    lists(&tower, "nodes", "tower");
    tower.apply("web.yaml", include_str!("web.yaml"));
    let waits = ["get", "pods", "-o", "jsonpath={.items[*].status.conditions[?(@.type==\"PodScheduled\")].reason}"];
    eventually("pods that tolerate no control plane wait for a worker", || {
        tower.said(&waits).contains("Unschedulable").then_some(())
    });
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn one_node_alone_measures_itself() {
    let machine = Machine::boot_alone("barn");
    machine.shell("echo 'spec: {metricsServer: {enabled: true}}' > /var/sk8s.yaml");
    let node = Node::start(machine, &["controller", "--single", "--config=/var/sk8s.yaml"]);
    assert!(node.wait_ready().components.iter().any(|component| component.name == "metrics-server"));
    lists(&node, "nodes", "barn");
}
