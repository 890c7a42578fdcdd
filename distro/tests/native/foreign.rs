//! A worker whose controller was made anew: at the same address answers another cluster.

use skerry_formats::status::Phase;

use super::{
    eventually,
    join::{tower, waits_for},
    lan::Lan,
    node::Node,
};

const ANOTHER: &str = "another cluster answers in this one's place";

/// Ends a controller and takes all away that it knew.
fn forget(tower: &mut Node) {
    tower.stop();
    tower.machine.shell("rm -rf /var/lib/sk8s /run/sk8s");
}

fn sees(tower: &Node, nodes: &str) {
    eventually("the API answers", || tower.sk8s(&["kubectl", "get", "--raw=/readyz"]).status.success().then_some(()));
    assert_eq!(tower.said(&["get", "nodes", "-o", "name"]), nodes);
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_worker_never_joins_the_cluster_that_took_its_own_ones_place() {
    let lan = Lan::new();
    let (mut tower, token) = tower(&lan, "");
    let mut mill = Node::start(lan.boot("mill", [192, 168, 99, 2].into()), &["worker", &token]);
    mill.wait_ready();
    sees(&tower, "node/mill");
    let saved = tower.sk8s(&["backup", "--save-path=/var/tmp", "--config=/var/sk8s.yaml"]);
    assert!(saved.status.success(), "{}", String::from_utf8_lossy(&saved.stderr));
    let file = String::from_utf8(saved.stdout).expect("a path").trim().to_owned();
    let before = membership(&mill);

    forget(&mut tower);
    tower.start_again();
    waits_for(&mill, ANOTHER);
    assert_eq!(mill.status().expect("it runs").phase, Phase::Degraded);
    eventually("the log says so", || {
        let log = mill.log();
        (log.contains(ANOTHER) && log.contains("`sk8s restore`") && log.contains("`sk8s reset`")).then_some(())
    });
    sees(&tower, "");
    assert_eq!(membership(&mill), before, "nothing is changed for a cluster that is not its own");

    mill.kill("sk8s");
    mill.start_again();
    waits_for(&mill, ANOTHER);
    sees(&tower, "");
    assert_eq!(membership(&mill), before);

    forget(&mut tower);
    let restored = tower.sk8s(&["restore", &file]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    tower.start_again();
    mill.wait_ready();
    sees(&tower, "node/mill");
    assert_eq!(membership(&mill), before);
}

/// What a worker keeps of its cluster.
fn membership(mill: &Node) -> String {
    let state = mill.machine.shell("sha256sum /var/lib/sk8s/membership.json");
    assert!(!state.is_empty());
    state
}
