//! Controllers as seeds make them: one has the cluster's keys and may make the cluster, all have a token. They are switched
//! on together; the one that made the cluster loses its disk and comes back as it was made first.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

use sk8s::{
    join::TokenRecord,
    link,
    pki::{Identity, UnixTime},
};
use skerry_formats::{
    role::Role,
    token::{JoinToken, PreShared},
};

use super::{
    controllers::{leads, several, voters},
    eventually,
    join::{token, waits_for},
    lan::Lan,
    node::Node,
    pre_shared::{give_keys, write},
    writer::Writer,
};

const NAMES: [&str; 3] = ["tower", "mill", "barn"];
/// Where the members are shown.
const ROLL: [&str; 7] = ["get", "configmap", "sk8s-etcd", "-n", "kube-system", "-o", "jsonpath={.data}"];
/// What tells a cluster from any other.
const ID: [&str; 5] = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];

const fn address(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 99, 1 + index)
}

/// What the hosts' owner keeps.
struct Owner {
    identity: Identity,
    tokens: Vec<TokenRecord>,
}

impl Owner {
    fn new() -> Self {
        let made = Identity::generate(&"home".parse().expect("valid"), UnixTime(1_790_000_000));
        let token = |_| TokenRecord::generate(Role::Controller, None).expect("randomness");
        Self { identity: made.expect("keys"), tokens: NAMES.iter().map(token).collect() }
    }

    /// A host's token, which leads to all other controllers.
    fn token(&self, index: u8) -> String {
        let TokenRecord { role, id, secret, .. } = self.tokens[usize::from(index)].clone();
        let authority = link::print_of(&self.identity.ca.certificate).expect("a certificate");
        let others = (0..3).filter(|other| *other != index);
        let servers = others.map(|other| address(other).to_string().parse().expect("valid")).collect();
        JoinToken { role, id, secret, authority, servers }.to_string()
    }

    /// A new machine that was flashed with a host's seed and switched on.
    fn switch_on(&self, lan: &Lan, index: u8) -> Node {
        let machine = lan.boot(NAMES[usize::from(index)], address(index).into());
        let storage = format!("{{type: etcd, etcd: {{peerAddress: {}}}}}", address(index));
        write(&machine, "/var/sk8s.yaml", &format!("metadata: {{name: home}}\nspec: {{storage: {storage}}}"));
        write(&machine, "/run/skerry/join-token", &self.token(index));
        let mut words = vec!["controller", "--config=/var/sk8s.yaml", "--token-file=/run/skerry/join-token"];
        if index == 0 {
            give_keys(&machine, &self.identity);
            let known: Vec<PreShared> = self.tokens.iter().cloned().map(PreShared::from).collect();
            write(&machine, "/var/tokens.json", &PreShared::file(&known));
            words.push("--tokens=/var/tokens.json");
        }
        Node::start(machine, &words)
    }
}

fn leave(node: &Node, whom: &str) {
    let wish = format!("{{\"data\":{{\"{whom}\":\"leave\"}}}}");
    let done = node.sk8s(&["kubectl", "patch", "configmap", "sk8s-etcd", "-n", "kube-system", "-p", &wish]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn shows(node: &Node, roll: &str) {
    eventually(roll, || (node.said(&ROLL) == roll).then_some(()));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn controllers_switched_on_together_are_one_cluster_that_its_founder_comes_back_to() {
    let (lan, owner) = (Lan::new(), Owner::new());
    let mut nodes: Vec<Node> = [1, 2, 0].into_iter().map(|index| owner.switch_on(&lan, index)).collect();
    let tower = nodes.pop().expect("three");
    waits_for(&tower, "if none answers for 120 s, this one makes the cluster");
    waits_for(&nodes[0], "no controller answers");
    eventually("three members have a vote", || (voters(&tower) == 3).then_some(()));
    nodes.iter().for_each(|node| drop(node.wait_ready()));
    let id = tower.said(&ID);
    assert!(!id.is_empty() && nodes.iter().all(|node| node.said(&ID) == id), "one cluster");
    shows(&tower, r#"{"barn":"voter","mill":"voter","tower":"voter"}"#);
    assert!(tower.writes("kept"));

    tower.machine.power_off();
    drop(tower);
    let mut tower = owner.switch_on(&lan, 0);
    eventually("it has a vote again", || {
        (tower.machine.run(&["test", "-e", "/var/lib/sk8s/appointment.json"]).status.success()
            && voters(&nodes[0]) == 3)
            .then_some(())
    });
    tower.wait_ready();
    assert_eq!(tower.said(&ID), id, "it made no second cluster");
    assert_eq!(tower.said(&["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]), "b");

    let used = owner.tokens[0].id.as_str();
    assert!(nodes[0].sk8s(&["token", "invalidate", used]).status.success());
    tower.kill_and_start();
    tower.wait_ready();
    assert_eq!(tower.said(&ID), id, "a token is needed once");

    let barn = nodes.pop().expect("two");
    barn.machine.power_off();
    drop(barn);
    leave(&tower, "barn");
    shows(&nodes[0], r#"{"mill":"voter","tower":"voter"}"#);
    assert_eq!(voters(&tower), 2, "out of etcd, and nobody logged in");

    let leader = leads(&tower);
    let (first, other) = if leader == "tower" { (&tower, &nodes[0]) } else { (&nodes[0], &tower) };
    assert_handed_over((first, &leader), other);
}

/// The leader is wished out, and who writes at the other one notices nothing. One write may be dropped, that is under way in the
/// few milliseconds in which the lead changes hands. Without that, the other member would miss its leader for a second or two
/// before it leads, and each of four hands, which write several times a second, would lose the write that it is at.
fn assert_handed_over((first, leader): (&Node, &str), other: &Node) {
    let writer = Writer::default();
    let between = writer.during(&[other; 4], || {
        let begun = Instant::now();
        leave(other, leader);
        waits_for(first, "this controller was taken out of etcd");
        (begun, Instant::now())
    });
    let refused = writer.refused(between);
    assert!(refused <= 1, "{refused} writes were refused");
    writer.assert_nothing_lost(other);
    assert!(other.writes("alone"));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_founder_at_another_address_is_told_what_to_do_and_comes_back_after_it() {
    let lan = Lan::new();
    let mut nodes = several(&lan, &NAMES);
    let id = nodes[1].said(&ID);
    let good = token(&nodes[1], &["--role=controller"]);
    let keys: Vec<(&str, String)> =
        ["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub"]
            .map(|name| (name, nodes[0].machine.shell(&format!("cat /var/lib/sk8s/pki/{name}"))))
            .into();
    nodes[0].machine.power_off();
    drop(nodes.remove(0));

    let elsewhere: IpAddr = [192, 168, 99, 11].into();
    let machine = lan.boot("tower", elsewhere);
    keys.iter().for_each(|(name, text)| write(&machine, &format!("/var/lib/sk8s/pki/{name}"), text));
    write(&machine, "/var/sk8s.yaml", "spec: {storage: {type: etcd}}");
    let tower = Node::start(machine, &["controller", "--config=/var/sk8s.yaml", &good]);
    waits_for(&tower, "another controller named `tower` is part of the cluster");
    let said = tower.status().map(|status| status.waiting_for).unwrap_or_default();
    assert!(said.contains("kubectl patch configmap sk8s-etcd -n kube-system"), "{said}");
    leave(&nodes[0], "tower");
    eventually("it has a vote again", || (voters(&nodes[0]) == 3).then_some(()));
    tower.wait_ready();
    assert_eq!(tower.said(&ID), id);
}
