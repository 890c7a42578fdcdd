//! What Kubernetes' own end-to-end suite tags as conformance, against a controller that runs pods and a worker, each on a machine of its
//! own made of namespaces. The suite, its images and its report lie in a folder that `SK8S_E2E` names:
//!
//! ```text
//! cargo xtask conformance [--focus REGEX]
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test of processes starts some, and says so when it fails"
)]
#![expect(dead_code, reason = "machines and nodes can do more than this test asks of them")]

#[path = "../native/lan.rs"]
mod lan;
#[path = "../native/machine.rs"]
mod machine;
#[path = "../native/node.rs"]
mod node;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use machine::Machine;
use node::Node;

/// Waits until `look` finds something, for ten minutes at most: the suite's images are many.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(600), "not within ten minutes: {what}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: use `cargo xtask conformance`"))
}

/// A machine with the suite's images in the folder that nodes import from.
fn stocked(lan: &lan::Lan, name: &str, last: u8) -> Machine {
    let machine = lan.boot(name, [192, 168, 99, last].into());
    let done = machine.shell(&format!(
        "mkdir -p /var/lib/sk8s/images && cp {}/images/*.tar /var/lib/sk8s/images/ && echo done",
        setting("SK8S_E2E")
    ));
    assert_eq!(done, "done");
    machine
}

/// Waits until a node has imported all of them.
fn has_all(node: &Node) {
    let program = format!("{}/containerd", setting("SK8S_COMPONENTS"));
    let count =
        format!("{program} ctr --address /run/sk8s/containerd.sock --namespace k8s.io images list -q | grep -c ^e2e");
    let wanted = node.machine.shell("ls /var/lib/sk8s/images/*.tar | wc -l");
    eventually("the suite's images are imported", || (node.machine.shell(&count) == wanted).then_some(()));
}

#[test]
#[ignore = "needs root, systemd, upstream's programs and upstream's suite"]
fn what_is_tagged_conformance_passes() {
    let folder = setting("SK8S_E2E");
    let lan = lan::Lan::new();
    let tower = Node::start(stocked(&lan, "tower", 1), &["controller", "--enable-worker", "--no-taints"]);
    tower.wait_ready();
    let token = tower.sk8s(&["token", "create", "--wait", "--role=worker"]);
    let token = String::from_utf8(token.stdout).expect("text");
    let barn = Node::start(stocked(&lan, "barn", 2), &["worker", token.trim()]);
    barn.wait_ready();
    has_all(&tower);
    has_all(&barn);
    eventually("both nodes are Ready", || {
        let ready = "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}";
        (tower.said(&["get", "nodes", "-o", ready]) == "True True").then_some(())
    });
    let config = tower.sk8s(&["kubeconfig", "admin"]).stdout;
    std::fs::write(format!("{folder}/kubeconfig"), config).expect("a kubeconfig");
    let script = format!(
        "cd {folder} && export KUBE_TEST_REPO_LIST={folder}/registries.yaml && exec ./ginkgo --procs={} --focus='{}' --timeout=12h \
         --no-color --json-report=report.json --output-dir={folder} ./e2e.test -- --kubeconfig={folder}/kubeconfig \
         --kubectl-path={folder}/kubectl --provider=skeleton --disable-log-dump",
        setting("SK8S_E2E_PROCS"),
        setting("SK8S_E2E_FOCUS")
    );
    let mut run = tower.machine.start(&["sh", "-c", &script], &format!("{folder}/suite.log"));
    run.wait().expect("ours");
    // Which tests failed, and whether that is known, is judged from the report.
    assert!(Path::new(&folder).join("report.json").exists(), "no report; the suite's log is {folder}/suite.log");
}
