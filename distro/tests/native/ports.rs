//! What `sk8s ports` says beside what nodes listen on: every port of a node is tried from the network, and what listens on it is
//! listed on the node.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use super::{
    controllers::voters,
    eventually,
    join::token,
    lan::{Lan, Space},
    machine::Machine,
    node::Node,
};

/// From here on the kernel chooses numbers: containerd's port for streams of exec is one.
const CHOSEN: u16 = 32768;
/// Those that listen only where they lead.
const LEADERS: [u16; 2] = [10257, 10259];

/// The TCP ports of an address that take a connection from within a space.
pub fn open_ports(from: &Space, address: IpAddr) -> BTreeSet<u16> {
    from.within(|| {
        let target = |port| SocketAddr::new(address, port);
        let open = |port: &u16| TcpStream::connect_timeout(&target(*port), Duration::from_millis(500)).is_ok();
        (1..=u16::MAX).filter(open).collect()
    })
}

/// A line of the table: protocol, number, for whom, and whether only a setting brings it.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    protocol: &'static str,
    number: u16,
    reach: String,
    optional: bool,
}

fn table(node: &Node, duty: &str) -> Vec<Row> {
    let said = String::from_utf8(node.sk8s(&["ports", duty]).stdout).expect("text");
    let (mut protocol, mut rows) = ("", Vec::new());
    for line in said.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("TCP"), _) => protocol = "TCP",
            (Some("UDP"), _) => protocol = "UDP",
            (Some(number), Some(reach)) => rows.push(Row {
                protocol,
                number: number.parse().expect("a number"),
                reach: reach.to_owned(),
                optional: line.contains("with "),
            }),
            _ => panic!("no row: {line}"),
        }
    }
    rows
}

/// What listens on a node, as the kernel lists it: protocol, on loopback or not, number.
fn listeners(node: &Node) -> BTreeSet<(&'static str, bool, u16)> {
    let mut found = BTreeSet::new();
    for (protocol, flag) in [("TCP", "-Hltn"), ("UDP", "-Hlun")] {
        for line in node.machine.shell(&format!("ss {flag}")).lines() {
            let local = line.split_whitespace().nth(3).expect("an address");
            let (host, port) = local.rsplit_once(':').expect("a port");
            let inside = host.starts_with("127.") || host == "[::1]" || host.starts_with("[::ffff:127.");
            let port: u16 = port.parse().expect("a number");
            if port < CHOSEN {
                found.insert((protocol, inside, port));
            }
        }
    }
    found
}

/// What is there is in the table, and what the table has is there; rows that a setting brings and this node has not may be missing.
fn assert_as_told(node: &Node, duty: &str, missing: &[u16]) {
    let rows = table(node, duty);
    let found = listeners(node);
    let told: BTreeSet<_> = rows.iter().map(|row| (row.protocol, row.reach == "loopback", row.number)).collect();
    let beyond: Vec<_> = found.difference(&told).collect();
    assert!(beyond.is_empty(), "{duty} listens at what the table does not have: {beyond:?}");
    let away: Vec<_> = told.difference(&found).filter(|(_, _, number)| !missing.contains(number)).collect();
    assert!(away.is_empty(), "{duty} does not listen at what the table has: {away:?}");
    assert!(missing.iter().all(|number| rows.iter().any(|row| row.number == *number)), "{missing:?}");
}

/// What others can open at a node is what the table says is theirs.
fn assert_open(lan: &Lan, address: [u8; 4], rows: &[Row]) {
    let theirs = |row: &&Row| row.protocol == "TCP" && row.reach != "loopback";
    let told: BTreeSet<u16> = rows.iter().filter(theirs).map(|row| row.number).collect();
    assert_eq!(open_ports(&lan.0, address.into()), told, "{address:?}");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn several_nodes_listen_where_the_table_says_and_nowhere_else() {
    let lan = Lan::new();
    let [tower_at, mill_at, barn_at] = [1, 2, 3].map(|last| [192, 168, 99, last]);
    let machine = lan.boot("tower", tower_at.into());
    machine.shell("echo 'spec: {storage: {type: etcd}, metricsServer: {enabled: true}}' > /var/sk8s.yaml");
    let tower = Node::start(machine, &["controller", "--enable-worker", "--config=/var/sk8s.yaml"]);
    tower.wait_ready();
    let mill = Node::start(lan.boot("mill", mill_at.into()), &["controller", &token(&tower, &["--role=controller"])]);
    eventually("it has a vote", || (voters(&tower) == 2).then_some(()));
    mill.wait_ready();
    let barn = Node::start(lan.boot("barn", barn_at.into()), &["worker", &token(&tower, &["--role=worker"])]);
    barn.wait_ready();

    assert_as_told(&tower, "controller+worker", &LEADERS);
    assert_as_told(&mill, "controller", &LEADERS);
    assert_as_told(&barn, "worker", &[]);
    assert_open(&lan, tower_at, &table(&tower, "controller+worker"));
    assert_open(&lan, mill_at, &table(&mill, "controller"));
    assert_open(&lan, barn_at, &table(&barn, "worker"));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_node_alone_listens_where_the_table_says_and_nowhere_else() {
    let node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    let optional: Vec<u16> = table(&node, "single").iter().filter(|row| row.optional).map(|row| row.number).collect();
    let etcds = table(&node, "single").into_iter().filter(|row| row.reach == "controllers").map(|row| row.number);
    assert_as_told(&node, "single", &optional.iter().copied().chain(etcds).collect::<Vec<_>>());
}
