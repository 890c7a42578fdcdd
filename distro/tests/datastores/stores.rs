//! A cluster comes up on each datastore, and what was written before a restart is there after it.

use std::path::Path;

use sk8s::pki::{Authority, LeafRequest, Usage};

use super::{
    controller::{Controller, alone, listeners},
    server::{self, ENCODED, PASSWORD},
};

/// Writes, restarts, looks, writes again; returns the controller for a closer look.
fn survives_a_restart(storage: &str) -> Controller {
    let mut controller = Controller::started(storage);
    let first = controller.write(&controller.client(), "before");
    let objects = controller.settled();
    controller.stop();
    controller.start();
    let client = controller.client();
    assert_eq!(controller.version(&client, "before"), Some(first));
    let now = controller.objects();
    for (name, object) in &objects {
        assert_eq!(now.get(name), Some(object), "{name}");
    }
    assert!(controller.write(&client, "after") > first);
    controller
}

/// What everyone who may list processes can see of one.
fn command_line(pid: u32) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).expect("runs")).replace('\0', " ")
}

fn assert_secret(controller: &Controller) {
    for component in ["kine", "kube-apiserver"] {
        let line = command_line(controller.pid(component));
        assert!(!line.contains(PASSWORD) && !line.contains(ENCODED), "{line}");
    }
    let log = std::fs::read_to_string(controller.path("log")).expect("a log");
    assert!(!log.contains(PASSWORD) && !log.contains(ENCODED));
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn sqlite() {
    let _alone = alone();
    survives_a_restart("{type: kine}");
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn etcd() {
    let _alone = alone();
    let controller = survives_a_restart("{type: etcd}");
    for port in [2379, 2380, 2381] {
        assert_eq!(listeners(port), ["0100007F"], "a lone member listens on loopback alone: {port}");
    }
    let unknown = std::net::TcpStream::connect("127.0.0.1:2379").expect("listens");
    drop(unknown);
    let mode = |below: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(controller.path(below)).expect("there").permissions().mode() & 0o777
    };
    assert_eq!((mode("data/etcd"), mode("data/pki/etcd"), mode("data/pki/etcd/ca.key")), (0o700, 0o700, 0o600));
    let check = |args: &[&str]| {
        let mut command = std::process::Command::new(super::controller::components().join("etcd"));
        let out = command.arg("check").args(args).arg("https://127.0.0.1:2379").output().expect("runs");
        (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let word = |below: &str| controller.path(below).display().to_string();
    let (authority, own) = (word("data/pki/etcd/ca.crt"), "run/kube-apiserver/etcd-client");
    let ours =
        check(&["--cacert", &authority, "--cert", &word(&format!("{own}.crt")), "--key", &word(&format!("{own}.key"))]);
    assert!(ours.0, "{}", ours.1);
    let admin = check(&[
        "--cacert",
        &authority,
        "--cert",
        &word("run/admin/client.crt"),
        "--key",
        &word("run/admin/client.key"),
    ]);
    assert!(!admin.0 && admin.1.contains("does not let this client in"), "another authority's client: {}", admin.1);
}

#[test]
#[ignore = "needs root, a network namespace, upstream's programs and PostgreSQL"]
fn postgres() {
    let _alone = alone();
    let _server = server::postgres();
    let storage = format!("{{kine: {{dataSource: 'postgres://kine:{ENCODED}@127.0.0.1:15432/shed?sslmode=disable'}}}}");
    assert_secret(&survives_a_restart(&storage));
}

#[test]
#[ignore = "needs root, a network namespace, upstream's programs and MariaDB"]
fn mariadb() {
    let _alone = alone();
    let _server = server::mariadb();
    let storage = format!("{{kine: {{dataSource: 'mysql://kine:{PASSWORD}@tcp(127.0.0.1:13306)/shed'}}}}");
    assert_secret(&survives_a_restart(&storage));
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn an_external_etcd_without_and_with_certificates() {
    let _alone = alone();
    {
        let _server = server::etcd(12379, None);
        let storage =
            "{type: etcd, etcd: {externalCluster: {endpoints: ['http://127.0.0.1:12379'], etcdPrefix: /shed}}}";
        survives_a_restart(storage);
    }
    let keys = tempfile::tempdir().expect("a folder");
    keys_of_a_stranger(keys.path());
    let _server = server::etcd(12379, Some(keys.path()));
    let file = |name: &str| keys.path().join(name).display().to_string();
    let controller = survives_a_restart(&format!(
        "{{type: etcd, etcd: {{externalCluster: {{endpoints: ['https://127.0.0.1:12379'], caFile: {}, clientCertFile: {}, \
         clientKeyFile: {}}}}}}}",
        file("ca.crt"),
        file("client.crt"),
        file("client.key")
    ));
    assert!(!controller.path("data/pki/etcd").exists(), "no authority of our own is made for somebody else's etcd");
}

/// An authority, a server's key and a client's.
pub fn keys_of_a_stranger(folder: &Path) {
    let now = sk8s::sys::clock::now();
    let authority = Authority::generate("stranger", std::time::Duration::from_secs(86_400), now).expect("made");
    let server = LeafRequest {
        usage: Usage::Both,
        addresses: vec![[127, 0, 0, 1].into()],
        ..LeafRequest::client("server", None)
    };
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("ca.crt", &authority.certificate);
    for (name, request) in [("server", server), ("client", LeafRequest::client("client", None))] {
        let leaf = authority.issue(&request, now).expect("issued");
        write(&format!("{name}.crt"), &leaf.certificate);
        write(&format!("{name}.key"), &leaf.key);
    }
}
