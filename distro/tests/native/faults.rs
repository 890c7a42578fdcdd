//! What goes wrong on a machine that nobody looks after, one fault after another.

use skerry_formats::status::Phase;

use super::{eventually, machine::Machine, node::Node, single::assert_web_answers};

const WEB: &str = include_str!("web.yaml");
const DATA: &str = "/var/lib/sk8s";

/// What a power cut does to containers: none runs, and the folders that do not outlive the machine's run are empty.
const DARK: &str = "pkill -KILL 'containerd-shim|pause|busybox|coredns'; sleep 1
awk '$5 ~ \"^/run/sk8s/containerd/\" {print $5}' /proc/self/mountinfo | xargs -r umount -l
rm -r /run/sk8s/containerd";

impl Node {
    /// Puts text into a file, what was there beside it.
    fn damage(&self, file: &str) {
        self.machine.shell(&format!("cp -a {DATA}/{file} /var/kept && echo 'not what it was' > {DATA}/{file}"));
    }

    fn mend(&self, file: &str) {
        self.machine.shell(&format!("cp -a /var/kept {DATA}/{file}"));
    }
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn what_hangs_is_killed_and_starts_again() {
    let node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let before = node.wait_ready().components;
    for component in &before {
        let pid = component.pid.expect("runs").to_string();
        assert!(node.machine.run(&["kill", "-STOP", &pid]).status.success());
    }
    eventually("every component lives again", || {
        let now = node.status()?.components;
        let again = before.iter().zip(&now).all(|(then, now)| now.restarts > then.restarts && now.pid != then.pid);
        again.then_some(())
    });
    node.wait_ready();
    assert_web_answers(&node);
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_damaged_file_is_named_and_once_mended_all_is_as_it_was() {
    let mut node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    assert!(node.writes("kept"));
    for file in ["pki/ca.crt", "pki/ca.key", "pki/sa.key", "pki/keyring.json"] {
        node.stop();
        node.damage(file);
        node.start_again();
        assert_eq!(node.ended(), Some(1), "{file}");
        let last = node.machine.shell("tail -n 3 /var/log/sk8s.log");
        assert!(last.contains(file), "{file}: {last}");
        node.mend(file);
        node.start_again();
        node.wait_ready();
    }
    node.stop();
    node.machine.shell(&format!("mv {DATA}/pki/keyring.json /var/kept"));
    node.start_again();
    assert_eq!(node.ended(), Some(1), "no new keys are made for old Secrets");
    node.mend("pki/keyring.json");
    node.start_again();
    node.wait_ready();

    // The database's owner is another program: its words are passed on, and it is tried for ever.
    node.stop();
    node.machine
        .shell(&format!("cp -a {DATA}/db /var/database && for f in {DATA}/db/*; do echo 'not what it was' > $f; done"));
    node.start_again();
    eventually("the database's fault is told", || node.log().contains("file is not a database").then_some(()));
    assert_ne!(node.status().expect("it runs").phase, Phase::Ready);
    node.stop();
    node.machine.shell(&format!("rm -r {DATA}/db && cp -a /var/database {DATA}/db"));
    node.start_again();
    node.wait_ready();

    // Nor is a cluster begun anew where its disk is not mounted.
    eventually("it is noted", || {
        node.machine.run(&["test", "-s", &format!("{DATA}/has-objects")]).status.success().then_some(())
    });
    node.stop();
    node.machine.shell(&format!("mv {DATA}/db /var/elsewhere && mkdir {DATA}/db"));
    node.start_again();
    assert_eq!(node.ended(), Some(1));
    assert!(node.log().contains("if its disk is not mounted, mount it"), "{}", node.log());
    node.machine.shell(&format!("rmdir {DATA}/db && mv /var/elsewhere {DATA}/db"));
    node.start_again();
    node.wait_ready();
    assert_eq!(node.said(&["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]), "b");
}

/// A node that keeps its objects in etcd.
fn with_etcd(machine: Machine) -> Node {
    machine.shell("echo 'spec: {storage: {type: etcd}}' > /var/sk8s.yaml");
    Node::start(machine, &["controller", "--single", "--config=/var/sk8s.yaml"])
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_damaged_etcd_is_told_and_left_alone() {
    let mut node = with_etcd(Machine::boot_alone("barn"));
    node.wait_ready();
    assert!(node.writes("kept"));
    for file in ["etcd/member/snap/db", "etcd/member/wal/0000000000000000-0000000000000000.wal"] {
        node.stop();
        node.damage(file);
        // A log that is cut off etcd mends by itself, and keeps what it was.
        let objects = format!("sha256sum {DATA}/etcd/member/snap/db");
        let before = node.machine.shell(&objects);
        node.start_again();
        eventually("etcd's fault is told", || {
            let status = node.status()?;
            let etcd = status.components.iter().find(|component| component.name == "etcd")?;
            (etcd.restarts > 1 && status.phase != Phase::Ready).then_some(())
        });
        eprintln!("{file}:\n{}", node.machine.shell("tail -n 12 /var/log/sk8s.log"));
        node.stop();
        assert_eq!(node.machine.shell(&objects), before, "nothing is begun anew, and nothing is thrown away");
        node.mend(file);
        node.start_again();
        node.wait_ready();
        assert_eq!(node.said(&["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]), "b");
    }
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn what_containerd_knows_is_made_again_once_it_is_damaged_and_nothing_runs() {
    let mut node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let database = "containerd/io.containerd.metadata.v1.bolt/meta.db";
    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = node.said(&life);
    node.stop();
    node.damage(database);
    node.start_again();
    eventually("the way on is told", || node.log().contains("restart the machine").then_some(()));
    node.stop();
    node.mend(database);
    node.start_again();
    node.wait_ready();
    assert_eq!(node.said(&life), before, "nothing was taken from under a pod that runs");

    node.stop();
    node.machine.shell(&format!("{DARK}\ntruncate -s 20000 {DATA}/{database}"));
    node.start_again();
    node.wait_ready();
    assert!(node.log().contains("begins anew"), "by the second start");
    assert_web_answers(&node);
    assert_ne!(node.said(&life), before);
}

/// Fills the disk that a folder is on, and makes room again once a write was refused.
fn fills_the_disk(node: &Node, folder: &str) {
    node.wait_ready();
    assert!(node.writes("before"));
    node.machine.shell("head -c 500000 /dev/urandom | base64 -w 0 > /var/blob");
    let writes = |name: &str| {
        let words = ["kubectl", "create", "configmap", name, "--from-file=/var/blob", "--request-timeout=20s"];
        node.sk8s(&words).status.success()
    };
    node.machine.shell(&format!("cat /dev/zero > {folder}/filler; sync"));
    let refused = (0..400).find(|count| !writes(&format!("while-full-{count}")));
    let kept = refused.expect("a full disk refuses writes");
    eprintln!("{kept} writes while the disk was full");
    node.machine.shell(&format!("rm {folder}/filler"));
    eventually("writes go on", || node.writes(&format!("after-{}", super::moment())).then_some(()));
    node.wait_ready();
    let names = node.said(&["get", "configmaps", "-o", "name"]);
    assert!(names.contains("configmap/before"), "{names}");
    for count in 0..kept {
        assert!(
            names.lines().any(|name| name == format!("configmap/while-full-{count}")),
            "acknowledged, and lost: {count}"
        );
    }
    assert_eq!(node.status().expect("it runs").phase, Phase::Ready);
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_full_disk_loses_nothing_and_work_goes_on_once_there_is_room() {
    let machine = Machine::boot_alone("barn");
    machine.shell(&format!("mkdir -p {DATA}/db && mount -t tmpfs -o size=48m tmpfs {DATA}/db"));
    fills_the_disk(&Node::start(machine, &["controller", "--single"]), &format!("{DATA}/db"));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_full_disk_of_etcd_loses_nothing_and_work_goes_on_once_there_is_room() {
    let machine = Machine::boot_alone("barn");
    machine.shell(&format!("mkdir -p {DATA}/etcd && mount -t tmpfs -o size=256m tmpfs {DATA}/etcd"));
    fills_the_disk(&with_etcd(machine), &format!("{DATA}/etcd"));
}
