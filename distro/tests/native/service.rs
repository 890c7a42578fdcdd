//! A node's whole life as a service, on a machine of its own: installed, started, killed, stopped, and reset until nothing is
//! left of it.

use std::{collections::BTreeSet, process::Output};

use super::{eventually, machine::Machine, node::images};

const PODS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: BUSYBOX
        ports: [{containerPort: 8080, hostPort: 8081}]
        command: [/bin/busybox, sh, -c, 'mkdir /w; echo hello > /w/index.html; exec busybox httpd -f -p 8080 -h /w']
        volumeMounts: [{name: memory, mountPath: /memory}]
      volumes:
      - {name: memory, emptyDir: {medium: Memory}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  containers:
  - {name: client, image: BUSYBOX, command: [/bin/busybox, sleep, '100000']}
";

/// A machine with sk8s as its service.
pub struct Node(pub Machine);

impl Node {
    fn places() -> Vec<String> {
        let flag = |(flag, key): (&str, &str)| {
            let folder = std::env::var(key).unwrap_or_else(|_| panic!("{key} is not set"));
            format!("{flag}={folder}")
        };
        [("--components", "SK8S_COMPONENTS"), ("--cni", "SK8S_CNI"), ("--images", "SK8S_IMAGES")].map(flag).into()
    }

    fn sk8s(&self, words: &[&str]) -> Output {
        let places = Self::places();
        let all: Vec<&str> = std::iter::once(env!("CARGO_BIN_EXE_sk8s"))
            .chain(places.iter().map(String::as_str))
            .chain(words.iter().copied())
            .collect();
        self.0.run(&all)
    }

    fn said(&self, words: &[&str]) -> String {
        String::from_utf8_lossy(&self.sk8s(words).stdout).trim().to_owned()
    }

    /// What it prints to standard output; it must succeed.
    pub fn does(&self, words: &[&str]) -> String {
        let out = self.sk8s(words);
        let (said, why) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{words:?}: {}\n{said}\n{why}", out.status);
        said.into_owned()
    }

    /// What it prints to standard error; it must fail with exit code 1.
    fn refuses(&self, words: &[&str]) -> String {
        let out = self.sk8s(words);
        assert_eq!(out.status.code(), Some(1), "{words:?}: {}", String::from_utf8_lossy(&out.stdout));
        String::from_utf8_lossy(&out.stderr).into_owned()
    }

    pub fn wait_ready(&self) -> String {
        eventually("the node is ready", || {
            let status = self.said(&["status"]);
            status.lines().next().is_some_and(|line| line.contains("  ready  ")).then_some(status)
        })
    }

    /// Puts objects into the cluster through the manifests folder, `BUSYBOX` standing for the image's reference.
    pub fn apply(&self, name: &str, text: &str) {
        let text = text.replace("BUSYBOX", &images()["busybox"]);
        self.0.shell(&format!("cat > /var/lib/sk8s/manifests/{name} <<'END'\n{text}\nEND"));
    }

    fn serves(&self) {
        for url in ["http://web.default.svc.cluster.local/", "http://192.0.2.10:8081/"] {
            eventually(&format!("{url} answers"), || {
                let wget = ["kubectl", "exec", "client", "--", "/bin/busybox", "wget", "-T", "5", "-qO-", url];
                (self.said(&wget) == "hello").then_some(())
            });
        }
    }

    fn container(&self) -> String {
        self.said(&["kubectl", "get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"])
    }

    fn count(&self, program: &str) -> usize {
        self.0.inventory().iter().filter(|line| line.starts_with("process ") && line.contains(program)).count()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.shell("tail -n 40 /var/log/trial; systemctl status --no-pager sk8scontroller"));
        }
    }
}

const INSTALL: [&str; 4] = ["install", "controller", "--single", "--node-name=shed"];

fn installs(node: &Node) {
    let said = node.does(&[&INSTALL[..], &["--start", "-e", "NO_PROXY=it's \"$HOME\""]].concat());
    assert_eq!(said.lines().filter(|line| line.starts_with("account: ")).count(), 6, "{said}");
    let again = node.does(&[&INSTALL[..], &["-e", "NO_PROXY=it's \"$HOME\""]].concat());
    assert_eq!(again, "sk8scontroller: installed already\n");
    let other = node.refuses(&["install", "controller", "--node-name=other"]);
    assert!(other.contains("hint: add `--force`"), "{other}");
}

fn runs(node: &Node) {
    let status = node.wait_ready();
    assert!(status.starts_with("node shed  role single"), "{status}");
    let user = node.0.shell("stat -c %U /proc/$(pgrep -x kine)");
    assert_eq!(user, "kine");
    let proxy = node.0.shell("tr '\\0' '\\n' < /proc/$(pgrep -x containerd)/environ | grep NO_PROXY");
    assert_eq!(proxy, "NO_PROXY=it's \"$HOME\"");
    node.apply("web.yaml", PODS);
    node.serves();
    let table = node.does(&["status", "components"]);
    assert_eq!(table.lines().count(), 9, "a head, seven components, a sum: {table}");
    assert!(table.lines().last().is_some_and(|sum| sum.ends_with(" MiB")), "{table}");
}

/// Asks systemd for the supervisor's process.
const SYSTEMD: &str = "systemctl show --property=MainPID --value sk8scontroller | grep -vx 0";
/// Asks OpenRC's supervising daemon for its child.
const OPENRC: &str = "pgrep -P $(cat /run/supervise-sk8scontroller.pid)";

fn survives(node: &Node, supervisor: &str) {
    let before = node.container();
    let killed = node.0.shell(supervisor);
    assert!(!killed.is_empty(), "the supervisor runs");
    node.0.shell(&format!("kill -KILL {killed}"));
    eventually("it is started again", || {
        let now = node.0.shell(supervisor);
        (now != killed && !now.is_empty()).then_some(())
    });
    node.wait_ready();
    assert_eq!(node.container(), before, "the pod was not restarted");
    node.serves();
    let refused = node.refuses(&["reset"]);
    assert!(refused.contains("the service `sk8scontroller` runs\n  hint: end it first: `sk8s stop`"), "{refused}");
    node.does(&["stop"]);
    assert_eq!(node.count("/containerd --config"), 0, "components end");
    assert_eq!(node.count("containerd-shim"), 3, "pods run on");
}

fn leaves_nothing(node: &Node, before: &BTreeSet<String>) {
    let plan = node.does(&["reset", "--explain"]);
    assert!(plan.contains("service: sk8scontroller\n"), "{plan}");
    let said = node.does(&["reset"]);
    assert!(said.lines().all(|line| line.starts_with("removed ")), "{said}");
    assert_eq!(node.does(&["reset"]), NOTHING);
    same(before, &node.0.inventory());
}

const NOTHING: &str = "nothing of sk8s is on this machine\n";

fn same(before: &BTreeSet<String>, after: &BTreeSet<String>) {
    let left: Vec<_> = after.difference(before).collect();
    let lost: Vec<_> = before.difference(after).collect();
    assert!(left.is_empty() && lost.is_empty(), "left: {left:#?}\nlost: {lost:#?}");
}

#[test]
#[ignore = "needs root, namespaces and systemd"]
fn accounts_are_made_and_removed_without_useradd() {
    let node = Node(Machine::boot_alone("shed"));
    node.0.shell("for tool in useradd userdel groupdel; do mount --bind /dev/null /usr/sbin/$tool; done");
    let before = node.0.inventory();
    node.does(&INSTALL);
    let line = node.0.shell("getent passwd kube-apiserver");
    assert!(line.ends_with(":Kubernetes API server (sk8s):/nonexistent:/sbin/nologin"), "{line}");
    let group = node.0.shell("id -gn kube-apiserver; stat -c %a%U /etc/passwd /etc/shadow");
    assert_eq!(group, "kube-apiserver\n644root\n640root");
    let checked = node.0.run(&["grpck", "-r"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    node.does(&["reset"]);
    same(&before, &node.0.inventory());
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_service_runs_survives_and_leaves_nothing() {
    let node = Node(Machine::boot_alone("barn"));
    node.does(&["sysinfo"]);
    assert_eq!(node.does(&["reset"]), NOTHING);
    let before = node.0.inventory();
    installs(&node);
    runs(&node);
    survives(&node, SYSTEMD);
    leaves_nothing(&node, &before);
}

#[test]
#[ignore = "needs root, namespaces, OpenRC and upstream's programs"]
fn openrc_does_the_same() {
    let node = Node(Machine::boot_openrc("barn"));
    let before = node.0.inventory();
    installs(&node);
    runs(&node);
    survives(&node, OPENRC);
    leaves_nothing(&node, &before);
}
