//! Nodes whose tokens were made before their cluster ran, by somebody who never talked to it.

use sk8s::{
    join::TokenRecord,
    link,
    pki::{Identity, UnixTime},
};
use skerry_formats::{
    role::Role,
    token::{JoinToken, PreShared},
};

use super::{eventually, lan::Lan, machine::Machine, node::Node};

const TOWER: [u8; 4] = [192, 168, 99, 1];
const FILE: &str = "/var/tokens.json";
/// A time that no test lives to see, and one that is over.
const LATER: UnixTime = UnixTime(4_000_000_000);
const BEFORE: UnixTime = UnixTime(1_700_000_000);

pub fn write(machine: &Machine, path: &str, text: &str) {
    machine.shell(&format!("mkdir -p $(dirname {path}) && umask 077 && cat > {path} <<'END'\n{text}\nEND"));
}

/// The cluster's keys as its owner's seed puts them.
pub fn give_keys(machine: &Machine, identity: &Identity) {
    for (name, text, _) in identity.files() {
        write(machine, &format!("/var/lib/sk8s/pki/{name}"), text.trim());
    }
}

fn record(ends: Option<UnixTime>) -> TokenRecord {
    TokenRecord::generate(Role::Worker, ends).expect("randomness")
}

fn words_of(record: &TokenRecord, identity: &Identity) -> String {
    let TokenRecord { role, id, secret, .. } = record.clone();
    let authority = link::print_of(&identity.ca.certificate).expect("a certificate");
    JoinToken { role, id, secret, authority, servers: vec!["192.168.99.1".parse().expect("valid")] }.to_string()
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_token_made_before_the_cluster_admits_once_it_runs_and_stays_ended() {
    let identity = Identity::generate(&"home".parse().expect("valid"), UnixTime(1_790_000_000)).expect("keys");
    let (good, over) = (record(Some(LATER)), record(Some(BEFORE)));
    let lan = Lan::new();

    // The worker is first: whoever carries hosts to their places need not know in which order.
    let machine = lan.boot("mill", [192, 168, 99, 2].into());
    write(&machine, "/run/skerry/join-token", &words_of(&good, &identity));
    let mill = Node::start(machine, &["worker", "--token-file=/run/skerry/join-token"]);
    eventually("it asks in vain", || {
        mill.status().filter(|status| status.waiting_for.contains("no controller answers"))
    });

    let machine = lan.boot("tower", TOWER.into());
    give_keys(&machine, &identity);
    write(&machine, FILE, &PreShared::file(&[good.clone().into(), over.clone().into()]));
    let mut tower = Node::start(machine, &["controller", &format!("--tokens={FILE}")]);
    mill.wait_ready();
    eventually("the cluster has it", || (tower.said(&["get", "nodes", "-o", "name"]) == "node/mill").then_some(()));

    let list = String::from_utf8(tower.sk8s(&["token", "list"]).stdout).expect("text");
    assert!(list.contains(good.id.as_str()) && !list.contains(over.id.as_str()), "{list}");
    assert!(tower.sk8s(&["token", "invalidate", good.id.as_str()]).status.success());
    let ledger = ["get", "configmap", "sk8s-pre-shared-tokens", "-n", "kube-system", "-o", "jsonpath={.data}"];
    assert!(tower.said(&ledger).contains(good.id.as_str()));
    tower.kill_and_start();
    tower.wait_ready();
    mill.wait_ready();
    let shed = Node::start(lan.boot("shed", [192, 168, 99, 3].into()), &["worker", &words_of(&good, &identity)]);
    eventually("an ended token stays ended", || {
        shed.status().filter(|status| status.waiting_for.contains("the cluster does not know this token"))
    });
}
