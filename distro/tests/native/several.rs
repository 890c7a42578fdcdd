//! A controller and two workers on one local network: pods, Services and names reach across nodes.

use skerry_formats::token::JoinToken;

use super::{
    join::{token, tower},
    lan::Lan,
    node::Node,
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");

/// The server on one worker, the client on the other.
pub fn spread() -> String {
    let server = "    metadata: {labels: {app: web}}\n    spec:\n";
    let client = "metadata: {name: client}\nspec:\n";
    assert!(WEB.contains(server) && WEB.contains(client));
    WEB.replace(server, &format!("{server}      nodeName: mill\n"))
        .replace(client, &format!("{client}  nodeName: barn\n"))
}

/// Two workers that have been started, `mill` and `barn`.
pub fn workers(lan: &Lan, tower: &Node, good: &str) -> (Node, Node) {
    let mill = Node::start(lan.boot("mill", [192, 168, 99, 2].into()), &["worker", good]);
    let barn = Node::start(lan.boot("barn", [192, 168, 99, 3].into()), &["worker", &token(tower, &["--role=worker"])]);
    (mill, barn)
}

fn pods_reach_each_other(config: &str) {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, config);
    assert_eq!(good.parse::<JoinToken>().expect("a token").servers[0].as_str(), "192.168.99.1");
    let (mill, barn) = workers(&lan, &tower, &good);
    mill.wait_ready();
    barn.wait_ready();
    tower.apply("web.yaml", &spread());
    assert_web_answers(&tower);
    let nodes = tower.said(&["get", "pods", "--sort-by=.spec.nodeName", "-o", "jsonpath={.items[*].spec.nodeName}"]);
    assert_eq!(nodes, "barn mill");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn pods_of_two_nodes_reach_each_other_through_vxlan() {
    pods_reach_each_other("");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn pods_of_two_nodes_reach_each_other_over_routes() {
    pods_reach_each_other("spec: {network: {flannel: {backend: host-gw}}}");
}
