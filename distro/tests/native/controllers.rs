//! Three controllers with etcd: they join by token, lose their leader by power and by cable, and lose nothing else.

use std::{
    net::IpAddr,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    eventually,
    join::{token, tower, waits_for},
    lan::Lan,
    node::Node,
    single::assert_web_answers,
    writer::Writer,
};

const WEB: &str = include_str!("web.yaml");
const ETCD: &str = "spec: {storage: {type: etcd}}";
const NAMES: [&str; 3] = ["tower", "mill", "barn"];
/// How long the API may refuse writes when a leader is lost.
const GAP: Duration = Duration::from_secs(15);
/// How long it is looked on: longer than that, and past the moment at which a lead that is not settled would be lost again.
const LOOK: Duration = Duration::from_secs(25);

fn address(index: usize) -> IpAddr {
    [192, 168, 99, 1 + u8::try_from(index).expect("few")].into()
}

/// The members as a controller knows them.
fn members(node: &Node) -> Option<Vec<Value>> {
    let out = node.sk8s(&["etcd", "member-list", "-o", "json"]);
    serde_json::from_slice(&out.stdout).ok()
}

pub fn voters(node: &Node) -> usize {
    let votes = |member: &&Value| member["learner"] == false && member["name"] != "";
    members(node).map_or(0, |members| members.iter().filter(votes).count())
}

/// The name of the controller whose member leads.
pub fn leads(node: &Node) -> String {
    eventually("there is a leader", || {
        let members = members(node)?;
        Some(members.iter().find(|member| member["leader"] == true)?["name"].as_str()?.to_owned())
    })
}

fn leader(node: &Node) -> usize {
    let name = leads(node);
    NAMES.iter().position(|known| *known == name).expect("one of them")
}

pub fn several(lan: &Lan, names: &[&str]) -> Vec<Node> {
    let (first, _) = tower(lan, ETCD);
    let good = token(&first, &["--role=controller"]);
    let mut nodes = vec![first];
    for (index, name) in names.iter().enumerate().skip(1) {
        let node = Node::start(lan.boot(name, address(index)), &["controller", &good]);
        eventually("it has a vote", || (voters(&nodes[0]) == index + 1).then_some(()));
        node.wait_ready();
        nodes.push(node);
    }
    nodes
}

/// A worker that has joined at one of two controllers, and has learned of both.
pub fn worker(lan: &Lan, controller: &Node) -> Node {
    let good = token(controller, &["--role=worker"]);
    let shed = Node::start(lan.boot("shed", [192, 168, 99, 9].into()), &["worker", &good]);
    shed.wait_ready();
    eventually("it has learned of both", || {
        let known = shed.machine.shell("cat /var/lib/sk8s/membership.json");
        ["\"192.168.99.1\"", "\"192.168.99.2\""].iter().all(|address| known.contains(address)).then_some(())
    });
    shed
}

/// Takes the leader away while others are written to, looks on, and says how long nobody could write at most.
fn without_leader(nodes: &[Node], writer: &Writer, take: impl FnOnce(usize)) -> Duration {
    let leading = leader(&nodes[0]);
    let others: Vec<&Node> = nodes.iter().enumerate().filter(|(index, _)| *index != leading).map(|(_, n)| n).collect();
    let cut = writer.during(&others, || {
        take(leading);
        let cut = Instant::now();
        thread::sleep(LOOK);
        cut
    });
    writer.longest_pause((cut, cut + LOOK))
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn three_controllers_lose_their_leader_and_no_write() {
    let lan = Lan::new();
    let mut nodes = several(&lan, &NAMES);

    let writer = Writer::default();
    let mut cut = 0;
    let gap = without_leader(&nodes, &writer, |leading| {
        cut = leading;
        lan.0.ip(&format!("link set {} down", NAMES[leading]));
    });
    eprintln!("leader cut off: no write for at most {gap:?}");
    assert!(gap < GAP, "{gap:?}");
    lan.0.ip(&format!("link set {} up", NAMES[cut]));
    eventually("the one that was cut off follows", || {
        let known = members(&nodes[cut])?;
        known.iter().any(|member| member["leader"] == true && member["name"] != NAMES[cut]).then_some(())
    });
    nodes.iter().for_each(|node| writer.assert_nothing_lost(node));

    let writer = Writer::default();
    let mut dead = 0;
    let gap = without_leader(&nodes, &writer, |leading| {
        dead = leading;
        nodes[leading].machine.power_off();
    });
    eprintln!("leader without power: no write for at most {gap:?}");
    assert!(gap < GAP, "{gap:?}");
    drop(nodes.remove(dead));
    nodes.iter().for_each(|node| writer.assert_nothing_lost(node));

    let out = nodes[0].sk8s(&["etcd", "leave", NAMES[dead]]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(voters(&nodes[1]), 2, "a dead member is removed without surgery");

    for node in &nodes {
        node.kill("sk8s");
    }
    for node in &mut nodes {
        node.start_again();
    }
    eventually("both come back together", || (voters(&nodes[0]) == 2).then_some(()));
    nodes.iter().for_each(|node| {
        node.wait_ready();
        writer.assert_nothing_lost(node);
    });
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_worker_learns_of_all_controllers_and_outlives_the_one_it_joined_at() {
    let lan = Lan::new();
    let mut nodes = several(&lan, &NAMES[..2]);
    let _shed = worker(&lan, &nodes[0]);
    nodes[0].apply("web.yaml", WEB);
    assert_web_answers(&nodes[1]);
    let left = nodes[1].sk8s(&["etcd", "leave", NAMES[0]]);
    assert!(left.status.success(), "{}", String::from_utf8_lossy(&left.stderr));
    drop(nodes.remove(0));
    let renewed = ["get", "lease", "-n", "kube-node-lease", "shed", "-o", "jsonpath={.spec.renewTime}"];
    let before = nodes[0].said(&renewed);
    eventually("it goes on telling that it lives", || (nodes[0].said(&renewed) != before).then_some(()));
    assert_web_answers(&nodes[0]);
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_second_controller_waits_for_a_datastore_for_two_and_joins_once_there_is_one() {
    let lan = Lan::new();
    let (mut first, _) = tower(&lan, "");
    let good = token(&first, &["--role=controller"]);
    let second = Node::start(lan.boot("mill", address(1)), &["controller", &good]);
    waits_for(&second, "the cluster keeps its objects in SQLite");
    assert!(first.writes("kept"));
    first.stop();
    first.machine.shell(&format!("echo '{ETCD}' > /var/sk8s.yaml"));
    let moved = first.sk8s(&["storage", "migrate", "--config=/var/sk8s.yaml"]);
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    first.start_again();
    eventually("it has a vote", || (voters(&first) == 2).then_some(()));
    second.wait_ready();
    assert_eq!(second.said(&["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]), "b");
}
