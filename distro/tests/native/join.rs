//! A controller without pods, and a worker behind a router that translates addresses: nothing but port 6443 leads from one
//! to the other, and nothing at all back.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use sk8s::join::Membership;

use super::{
    eventually,
    lan::{Lan, Space},
    node::{Node, kill},
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");
const TOWER: [u8; 4] = [192, 168, 99, 1];

/// A machine behind a router of its own; the router's own space ends with it.
struct Hidden {
    router: Space,
    machine: Space,
}

impl Hidden {
    fn new(lan: &Lan) -> Self {
        let (router, machine) = (lan.join("router", [192, 168, 99, 7].into()), Space::new("mill"));
        router.ip(&format!("link add inner type veth peer name eth0 netns {}", machine.name()));
        router.ip("addr add 10.9.9.1/24 dev inner");
        router.ip("link set inner up");
        machine.ip("addr add 10.9.9.2/24 dev eth0");
        machine.ip("link set eth0 up");
        machine.ip("route add default via 10.9.9.1");
        let rules = "table ip nat { chain out { type nat hook postrouting priority 100; oifname eth0 masquerade; } }";
        router.within(|| {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("a router");
            let done = std::process::Command::new("nft").arg(rules).status().expect("nft runs");
            assert!(done.success(), "the router translates addresses");
        });
        Self { router, machine }
    }
}

/// The TCP ports of an address that take a connection from within a space.
fn open_ports(from: &Space, address: IpAddr) -> BTreeSet<u16> {
    from.within(|| {
        let open =
            |port| TcpStream::connect_timeout(&SocketAddr::new(address, port), Duration::from_millis(500)).is_ok();
        (1..=u16::MAX).filter(|port| open(*port)).collect()
    })
}

fn token(tower: &Node<'_>, more: &[&str]) -> String {
    let out = tower.sk8s(&[&["token", "create", "--wait"], more].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text").trim().to_owned()
}

fn waits_for(node: &Node<'_>, text: &str) {
    eventually(text, || node.status().filter(|status| status.waiting_for.contains(text)));
}

#[test]
#[ignore = "needs root and upstream's programs"]
fn a_worker_behind_a_router_joins_by_token_and_serves() {
    let (lan, folder) = (Lan::new(), tempfile::tempdir().expect("a folder"));
    let tower_space = lan.join("tower", TOWER.into());
    let hidden = Hidden::new(&lan);
    let tower = Node::start(&tower_space, &folder.path().join("tower"), &["controller", "--node-name", "tower"]);
    let token_text = token(&tower, &["--role=worker", "--expiry=100h"]);
    assert!(tower.said(&["get", "nodes"]).is_empty(), "a controller is no node");

    let mut mill = Node::start(
        &hidden.machine,
        &folder.path().join("mill"),
        &["worker", &token_text, "--node-name", "mill", "--labels", "place=mill"],
    );
    mill.wait_ready();
    assert_eq!(tower.said(&["get", "nodes", "-l", "place=mill", "-o", "name"]), "node/mill");
    tower.apply("web.yaml", WEB);
    assert_web_answers(&tower);

    // The worker opens nothing, the controller one port; what listens on loopback is told by `sk8s ports`.
    assert!(open_ports(&hidden.router, [10, 9, 9, 2].into()).is_empty());
    assert_eq!(open_ports(&hidden.router, TOWER.into()), BTreeSet::from([6443]));

    // It needs its token once: it comes back by itself, its pods untouched.
    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = tower.said(&life);
    kill(mill.process.id(), "KILL");
    let id = token_text.parse::<skerry_formats::token::JoinToken>().expect("a token").id;
    assert!(tower.sk8s(&["token", "invalidate", id.as_str()]).status.success());
    mill.again();
    mill.wait_ready();
    assert_web_answers(&tower);
    assert_eq!(tower.said(&life), before);

    // A lost link is made again, by either end's new life.
    let membership = Membership::load(&mill.folder.join("data/membership.json")).expect("readable").expect("joined");
    assert_eq!(membership.node.as_str(), "mill");
}

#[test]
#[ignore = "needs root and upstream's programs"]
fn a_bad_token_admits_nobody_and_says_why() {
    let (lan, folder) = (Lan::new(), tempfile::tempdir().expect("a folder"));
    let (tower_space, shed) = (lan.join("tower", TOWER.into()), lan.join("shed", [192, 168, 99, 2].into()));
    let tower = Node::start(&tower_space, &folder.path().join("tower"), &["controller", "--node-name", "tower"]);
    let good = token(&tower, &["--role=worker"]);
    let short = token(&tower, &["--role=worker", "--expiry=1s"]);
    let controllers = token(&tower, &["--role=controller"]);
    std::thread::sleep(Duration::from_secs(2));
    let join = |name: &str, token: &str| {
        Node::start(&shed, &folder.path().join(name), &["worker", token, "--node-name", name])
    };

    waits_for(&join("expired", &short), "expired on");
    waits_for(&join("wrong-role", &controllers), "the token admits a controller, not a worker");
    let mut foreign: skerry_formats::token::JoinToken = good.parse().expect("a token");
    foreign.authority = skerry_formats::digest::Digest::of(b"another cluster");
    waits_for(&join("foreign", &foreign.to_string()), "the controller is of another cluster than the token");
    let mut guessed: skerry_formats::token::JoinToken = good.parse().expect("a token");
    guessed.secret = "0000000000000000".parse().expect("a secret");
    waits_for(&join("guessed", &guessed.to_string()), "the cluster does not know this token");
    let mut cut = join("cut", &good[..good.len() - 9]);
    assert_eq!(cut.process.wait().expect("ended").code(), Some(2));
    assert!(cut.log().contains("the join token is damaged or cut off"), "{}", cut.log());
    assert!(tower.said(&["get", "nodes", "-o", "name"]).is_empty());
}
