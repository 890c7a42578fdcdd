//! A controller without pods, and workers that join it: one behind a router that translates addresses, so that nothing but
//! port 6443 leads from one to the other, and nothing at all back.

use std::{collections::BTreeSet, time::Duration};

use skerry_formats::{digest::Digest, token::JoinToken};

use super::{
    eventually,
    lan::Lan,
    node::{Node, folder_of},
    ports::open_ports,
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");
const TOWER: [u8; 4] = [192, 168, 99, 1];

pub fn token(tower: &Node, more: &[&str]) -> String {
    let out = tower.sk8s(&[&["token", "create", "--wait"], more].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text").trim().to_owned()
}

pub fn waits_for(node: &Node, text: &str) {
    eventually(text, || node.status().filter(|status| status.waiting_for.contains(text)));
}

/// A controller with a configuration, and a token of it.
pub fn tower(lan: &Lan, config: &str) -> (Node, String) {
    let machine = lan.boot("tower", TOWER.into());
    machine.shell(&format!("cat > /var/sk8s.yaml <<'END'\n{config}\nEND"));
    let tower = Node::start(machine, &["controller", "--config=/var/sk8s.yaml"]);
    eventually("the cluster has keys", || {
        tower.machine.run(&["test", "-e", "/var/lib/sk8s/pki/sa.key"]).status.success().then_some(())
    });
    let token = token(&tower, &["--role=worker", "--expiry=100h"]);
    (tower, token)
}

/// What a controller calls at a node that nobody can call: a Service as kube-apiserver calls webhooks and added APIs, the kubelet's
/// metrics, and a port of a pod for a person.
fn assert_the_controller_reaches_in(tower: &Node, node: &str) {
    let proxied = ["get", "--raw=/api/v1/namespaces/default/services/http:web:80/proxy/"];
    eventually("kube-apiserver reaches a Service", || (tower.said(&proxied) == "hello").then_some(()));
    let metrics = format!("--raw=/api/v1/nodes/{node}/proxy/metrics/resource");
    let metrics = tower.sk8s(&["kubectl", "get", &metrics]);
    let (said, why) = (String::from_utf8_lossy(&metrics.stdout), String::from_utf8_lossy(&metrics.stderr));
    assert!(said.contains("container_cpu_usage_seconds_total"), "{said}{why}");

    let folders = folder_of("SK8S_COMPONENTS").join("clients").display().to_string();
    let kubectl = [&folders, "kubectl", "--kubeconfig=/run/sk8s/admin/kubeconfig"];
    let words = [&kubectl[..], &["port-forward", "deployment/web", "8111:8080"]].concat();
    let mut forward = tower.machine.start(&words, "/var/forward.log");
    let script = "exec 3<>/dev/tcp/127.0.0.1/8111 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3";
    eventually("a forwarded port answers", || {
        let said = tower.machine.run(&["bash", "-c", script]).stdout;
        String::from_utf8_lossy(&said).contains("hello").then_some(())
    });
    let _ = tower.machine.run(&["pkill", "-TERM", "-f", "port-forward"]);
    forward.wait().expect("ended");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_worker_behind_a_router_joins_by_token_and_serves() {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, "");
    assert!(tower.said(&["get", "nodes"]).is_empty(), "a controller is no node");

    let (router, machine) = lan.boot_hidden("mill", [192, 168, 99, 7].into());
    let mut mill = Node::start(machine, &["worker", &good, "--labels", "place=mill"]);
    mill.wait_ready();
    assert_eq!(tower.said(&["get", "nodes", "-l", "place=mill", "-o", "name"]), "node/mill");
    tower.apply("web.yaml", WEB);
    assert_web_answers(&tower);
    assert_the_controller_reaches_in(&tower, "mill");

    assert!(open_ports(&router, [10, 9, 9, 2].into()).is_empty(), "a worker opens nothing");
    assert_eq!(open_ports(&router, TOWER.into()), BTreeSet::from([6443]), "a controller opens one port");

    let id = good.parse::<JoinToken>().expect("a token").id;
    assert!(tower.sk8s(&["token", "invalidate", id.as_str()]).status.success());
    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = tower.said(&life);
    mill.kill_and_start();
    mill.wait_ready();
    assert_web_answers(&tower);
    assert_eq!(tower.said(&life), before, "a token is needed once, and a pod outlives the supervisor");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_bad_token_admits_nobody_and_says_why() {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, "");
    let short = token(&tower, &["--role=worker", "--expiry=1s"]);
    let controllers = token(&tower, &["--role=controller"]);
    std::thread::sleep(Duration::from_secs(2));
    let changed = |change: &dyn Fn(&mut JoinToken)| {
        let mut token: JoinToken = good.parse().expect("a token");
        change(&mut token);
        token.to_string()
    };
    let foreign = changed(&|token| token.authority = Digest::of(b"another cluster"));
    let guessed = changed(&|token| token.secret = "0000000000000000".parse().expect("a secret"));
    for (text, why) in [
        (&short, "the token expired on"),
        (&controllers, "the token admits a controller, not a worker"),
        (&foreign, "the controller is of another cluster than the token"),
        (&guessed, "the cluster does not know this token"),
    ] {
        waits_for(&Node::start(lan.boot("shed", [192, 168, 99, 2].into()), &["worker", text]), why);
    }
    let mut cut = Node::start(lan.boot("shed", [192, 168, 99, 2].into()), &["worker", &good[..good.len() - 9]]);
    assert_eq!(cut.ended(), Some(2));
    assert!(cut.log().contains("the join token is damaged or cut off"), "{}", cut.log());
    assert!(tower.said(&["get", "nodes", "-o", "name"]).is_empty());
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn two_nodes_of_one_name_are_told_apart() {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, "");
    let first = Node::start(lan.boot("mill", [192, 168, 99, 2].into()), &["worker", &good]);
    eventually("the first is in", || (tower.said(&["get", "nodes", "-o", "name"]) == "node/mill").then_some(()));
    let second = Node::start(lan.boot("other", [192, 168, 99, 3].into()), &["worker", &good, "--node-name", "mill"]);
    waits_for(&second, "another node named `mill` is part of the cluster");
    drop(first);
    assert!(tower.sk8s(&["kubectl", "delete", "node", "mill"]).status.success());
    eventually("the second takes its place", || {
        (tower.said(&["get", "nodes", "-o", "name"]) == "node/mill").then_some(())
    });
}
