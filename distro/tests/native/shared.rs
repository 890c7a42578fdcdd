//! Controllers whose objects are in an etcd that somebody else runs.

use super::{
    controllers::{voters, worker},
    eventually,
    join::{token, tower, waits_for},
    lan::Lan,
    node::{Node, folder_of},
    single::assert_web_answers,
};

const WEB: &str = include_str!("web.yaml");
const STORE: [u8; 4] = [192, 168, 99, 100];
const CONFIG: &str =
    "spec: {storage: {type: etcd, etcd: {externalCluster: {endpoints: ['http://192.168.99.100:2379']}}}}";

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn controllers_share_the_etcd_of_somebody_else() {
    let lan = Lan::new();
    let store = lan.boot("store", STORE.into());
    let etcd = folder_of("SK8S_COMPONENTS").join("etcd").display().to_string();
    let urls = ["--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://192.168.99.100:2379"];
    let mut keeper = store.start(&[&[etcd.as_str(), "--data-dir=/var/etcd"], &urls[..]].concat(), "/var/log/etcd");
    let (first, _) = tower(&lan, CONFIG);
    let good = token(&first, &["--role=controller"]);
    let second = Node::start(lan.boot("mill", [192, 168, 99, 2].into()), &["controller", &good]);
    second.wait_ready();
    assert!(second.writes("kept"));
    let lines = ["get", "configmap", "sk8s-controllers", "-n", "kube-system", "-o", "jsonpath={.data}"];
    let both = r#"{"mill":"192.168.99.2","tower":"192.168.99.1"}"#;
    eventually("both have a line", || (first.said(&lines) == both).then_some(()));
    assert_eq!(voters(&first), 0, "none of them has a member of its own");
    let twin = Node::start(lan.boot("twin", [192, 168, 99, 7].into()), &["controller", &good, "--node-name=mill"]);
    waits_for(&twin, "a controller of the cluster is named `mill`");
    drop(twin);

    let _shed = worker(&lan, &second);
    first.machine.power_off();
    drop(first);
    second.apply("web.yaml", WEB);
    assert_web_answers(&second);
    assert_eq!(second.said(&["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]), "b");
    drop(second);
    let _ = keeper.kill();
    keeper.wait().expect("ended");
}
