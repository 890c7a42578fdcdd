//! A whole cluster in one node.

use skerry_formats::status::{Phase, Status};

use super::{eventually, machine::Machine, node::Node};

const WEB: &str = include_str!("web.yaml");

/// Kills a component and waits until another life of it is ready.
fn survive(node: &Node, name: &str) {
    let of = |status: &Status| status.components.iter().find(|component| component.name == name).cloned();
    let before = of(&node.wait_ready()).expect("supervised");
    assert!(node.machine.run(&["kill", "-KILL", &before.pid.expect("runs").to_string()]).status.success());
    eventually("it is ready again", || {
        let status = node.status()?;
        (status.phase == Phase::Ready && of(&status)?.restarts > before.restarts).then_some(())
    });
}

/// The objects of `web.yaml` do all that they are there for, as seen through a node's API.
pub fn assert_web_answers(node: &Node) {
    let answer = |url: &str| {
        eventually(&format!("{url} answers"), || {
            let said = node.said(&["exec", "client", "--", "/bin/busybox", "wget", "-T", "5", "-qO-", url]);
            (said == "hello").then_some(())
        });
    };
    let address = eventually("the service has an address", || {
        let address = node.said(&["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
        (!address.is_empty()).then_some(address)
    });
    answer(&format!("http://{address}/"));
    answer("http://web.default.svc.cluster.local/");
    // A node that has just moved makes its link anew.
    eventually("its log is read", || (node.said(&["logs", "deployment/web"]) == "serving").then_some(()));
}

/// A user may do what roles let the user's group do, and nothing else.
fn assert_users_are_who_they_are(node: &Node) {
    let made = node.machine.shell(&format!(
        "umask 77; {} kubeconfig create ada --groups farmers --certificate-expires-after 1h > /var/ada && stat -c %s /var/ada",
        env!("CARGO_BIN_EXE_sk8s")
    ));
    assert!(made.parse::<u64>().is_ok_and(|size| size > 0), "{made}");
    let ada = |words: &[&str]| node.said(&[&["--kubeconfig=/var/ada"], words].concat());
    let user = ada(&["auth", "whoami", "-o", "jsonpath={.status.userInfo.username} {.status.userInfo.groups}"]);
    assert!(user.starts_with("ada ") && user.contains("farmers"), "{user}");
    assert_eq!(ada(&["auth", "can-i", "list", "pods"]), "no");
    node.said(&["create", "clusterrolebinding", "farmers", "--clusterrole=view", "--group=farmers"]);
    eventually("the group's role counts", || (ada(&["auth", "can-i", "list", "pods"]) == "yes").then_some(()));
    assert_eq!(ada(&["auth", "can-i", "list", "secrets"]), "no");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_node_becomes_ready_serves_and_heals() {
    let machine = Machine::boot_alone("barn");
    // As Debian's installer writes it.
    machine.shell("echo '127.0.1.1 barn' >> /etc/hosts");
    let mut node = Node::start(machine, &["controller", "--single"]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let metrics = node.said(&["get", "--raw=/api/v1/nodes/barn/proxy/metrics/resource"]);
    assert!(metrics.contains("container_cpu_usage_seconds_total"), "{metrics}");
    assert_users_are_who_they_are(&node);
    let tasks = node.sk8s(&["ctr", "tasks", "list"]);
    assert!(String::from_utf8_lossy(&tasks.stdout).contains("RUNNING"), "{tasks:?}");
    for component in node.wait_ready().components {
        survive(&node, &component.name);
        assert_web_answers(&node);
    }
    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = node.said(&life);
    assert_eq!(node.wait_ready().components.len(), 7);
    node.kill_and_start();
    node.wait_ready();
    assert_eq!(node.said(&life), before, "the pod was not restarted");
    assert_web_answers(&node);
}
