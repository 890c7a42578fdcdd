//! What does not come back by itself: a majority that is gone, a controller that is frozen, a worker that is taken out.

use std::time::{Duration, Instant};

use super::{
    controllers::{several, voters, worker},
    eventually,
    join::{token, tower, waits_for},
    lan::Lan,
    node::Node,
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");
const KEPT: [&str; 5] = ["get", "configmap", "kept", "-o", "jsonpath={.data.a}"];

fn done(node: &Node, words: &[&str]) -> String {
    let out = node.sk8s(words);
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_majority_is_lost_and_a_backup_brings_the_cluster_back_on_one() {
    let lan = Lan::new();
    let mut nodes = several(&lan, &["tower", "mill", "barn"]);
    assert!(nodes[0].writes("kept"));
    let _shed = worker(&lan, &nodes[0]);

    // Who made the cluster is destroyed; another is cut off, and will be heard of again. What is left has joined by a token.
    let (mut barn, mut mill) = (nodes.pop().expect("three"), nodes.pop().expect("three"));
    nodes[0].machine.power_off();
    drop(nodes);
    lan.0.ip("link set barn down");
    eventually("nothing is written without a majority", || {
        (!mill.writes(&format!("x{}", super::moment()))).then_some(())
    });
    let file = done(&mill, &["backup", "--save-path=/var/out"]);
    mill.stop();
    done(&mill, &["reset"]);
    done(&mill, &["restore", &file]);
    mill.start_again_as(&["controller", "--config=/var/lib/sk8s/sk8s.restored.yaml"]);
    mill.wait_ready();
    assert_eq!(mill.said(&KEPT), "b");
    assert!(mill.writes("after"));
    assert_eq!(voters(&mill), 1);

    lan.0.ip("link set barn up");
    let renewed = ["get", "lease", "-n", "kube-node-lease", "shed", "-o", "jsonpath={.spec.renewTime}"];
    let before = mill.said(&renewed);
    eventually("the worker goes on in the restored cluster", || (mill.said(&renewed) != before).then_some(()));
    assert_eq!(voters(&mill), 1, "a member of before takes no part");
    barn.kill("sk8s");
    assert_ne!(barn.ended(), Some(0));
    done(&barn, &["reset"]);
    let again = token(&mill, &["--role=controller"]);
    barn.start_again_as(&["controller", &again]);
    eventually("it has a vote again", || (voters(&mill) == 2).then_some(()));
    barn.wait_ready();
    assert_eq!(barn.said(&KEPT), "b");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_worker_leaves_a_controller_that_is_frozen_and_the_cluster_goes_on() {
    let lan = Lan::new();
    let nodes = several(&lan, &["tower", "mill"]);
    let _shed = worker(&lan, &nodes[0]);
    nodes[0].apply("web.yaml", WEB);
    assert_web_answers(&nodes[1]);
    for (frozen, other) in [(0, 1), (1, 0)] {
        assert!(nodes[frozen].machine.run(&["pkill", "-STOP", "-x", "sk8s"]).status.success());
        let (start, renewed) =
            (Instant::now(), ["get", "lease", "-n", "kube-node-lease", "shed", "-o", "jsonpath={.spec.renewTime}"]);
        // The lease is renewed every ten seconds, and the node counts as lost after forty.
        for _ in 0..4 {
            let before = nodes[other].said(&renewed);
            eventually("it goes on telling that it lives", || (nodes[other].said(&renewed) != before).then_some(()));
        }
        assert!(start.elapsed() < Duration::from_secs(100), "{:?}", start.elapsed());
        let ready = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}";
        assert_eq!(nodes[other].said(&["get", "node", "shed", "-o", ready]), "True");
        assert_web_answers(&nodes[other]);
        assert!(nodes[frozen].machine.run(&["pkill", "-CONT", "-x", "sk8s"]).status.success());
        nodes[frozen].wait_ready();
    }
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_worker_that_is_taken_out_is_given_nothing_more_and_once_off_its_name_is_free() {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, "");
    let mut lost = Node::start(lan.boot("lost", [192, 168, 99, 2].into()), &["worker", &good, "--node-name=mill"]);
    lost.wait_ready();
    tower.apply("web.yaml", WEB);
    assert_web_answers(&tower);
    let logs = || tower.sk8s(&["kubectl", "logs", "client", "--request-timeout=5s"]).status.success();
    assert!(logs());
    let taken_out = ["kubectl", "delete", "-n", "kube-system", "secret/sk8s-node-mill", "node/mill"];
    done(&tower, &["token", "invalidate", &good]);
    done(&tower, &taken_out);
    lost.kill_and_start();
    eventually("it is told", || lost.log().contains("the cluster does not know this node's key").then_some(()));
    let again = ["get", "node", "mill", "-o", "name"];
    eventually("its certificate is good still", || (tower.said(&again) == "node/mill").then_some(()));
    eventually("no link leads there", || (!logs()).then_some(()));

    let good = token(&tower, &["--role=worker"]);
    let mill = Node::start(lan.boot("mill", [192, 168, 99, 3].into()), &["worker", &good]);
    waits_for(&mill, "another node named `mill` is part of the cluster");
    drop(lost);
    done(&tower, &["kubectl", "delete", "node/mill"]);
    mill.wait_ready();
    assert_web_answers(&tower);
    assert!(logs());
}
