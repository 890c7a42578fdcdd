//! A whole cluster in one node.

use super::{
    eventually,
    lan::Lan,
    node::{Node, is_alive, kill},
};

const WEB: &str = include_str!("web.yaml");

/// Kills a component and waits until another life of it is ready.
fn survive(node: &Node<'_>, name: &str) {
    let of = |status: &skerry_formats::status::Status| {
        status.components.iter().find(|component| component.name == name).cloned()
    };
    let before = of(&node.wait_ready()).expect("supervised");
    kill(before.pid.expect("runs"), "KILL");
    eventually("it is ready again", || {
        let status = node.status()?;
        let ready = status.phase == skerry_formats::status::Phase::Ready;
        (ready && of(&status)?.restarts > before.restarts).then_some(())
    });
}

pub fn assert_web_answers(node: &Node<'_>) {
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
    assert_eq!(node.said(&["logs", "deployment/web"]), "serving");
}

#[test]
#[ignore = "needs root and upstream's programs"]
fn a_node_becomes_ready_serves_and_heals() {
    let (lan, folder) = (Lan::new(), tempfile::tempdir().expect("a folder"));
    let barn = lan.join("barn", [192, 168, 99, 1].into());
    let mut node = Node::start(&barn, folder.path(), &["controller", "--single", "--node-name", "barn"]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);

    for component in ["kube-apiserver", "kine", "containerd"] {
        survive(&node, component);
        assert_web_answers(&node);
    }

    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = node.said(&life);
    let orphans: Vec<u32> = node.wait_ready().components.iter().filter_map(|component| component.pid).collect();
    assert_eq!(orphans.len(), 7);
    kill(node.process.id(), "KILL");
    eventually("a killed supervisor leaves no component", || orphans.iter().all(|pid| !is_alive(*pid)).then_some(()));
    node.again();
    node.wait_ready();
    assert_eq!(node.said(&life), before, "the pod was not restarted");
    assert_web_answers(&node);
}
