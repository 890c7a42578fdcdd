//! A whole node on the machine that runs the tests: needs root, upstream's programs, and the API's port to be free. Run it
//! in a network namespace that has an address and a default route:
//!
//! ```text
//! SK8S_COMPONENTS=DIR SK8S_CNI=DIR SK8S_IMAGES=DIR cargo test --release -p sk8s --test native -- --ignored
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test of processes starts some, and says so when it fails"
)]

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use sk8s::status;
use skerry_formats::status::{Phase, Status};

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: BUSYBOX
        command: [/bin/busybox, sh, -c, 'echo serving; mkdir /w; echo hello > /w/index.html; exec busybox httpd -f -p 8080 -h /w']
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
  terminationGracePeriodSeconds: 0
  containers:
  - {name: client, image: BUSYBOX, command: [/bin/busybox, sleep, '100000']}
";

struct Node {
    folder: tempfile::TempDir,
    process: Child,
}

impl Node {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Self::spawn(folder.path());
        Self { folder, process }
    }

    fn command(folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sk8s"));
        for (flag, name) in [("--data-dir", "data"), ("--run-dir", "run"), ("--kubelet-dir", "kubelet")] {
            command.arg(flag).arg(folder.join(name));
        }
        for (flag, key) in [("--components", "SK8S_COMPONENTS"), ("--cni", "SK8S_CNI"), ("--images", "SK8S_IMAGES")] {
            command.arg(flag).arg(std::env::var_os(key).unwrap_or_else(|| panic!("{key} is not set")));
        }
        command
    }

    fn spawn(folder: &Path) -> Child {
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        let mut command = Self::command(folder);
        command.args(["controller", "--single", "--node-name", "barn"]).stderr(log).stdout(Stdio::null());
        command.spawn().expect("sk8s starts")
    }

    fn status(&self) -> Option<Status> {
        status::ask(&self.folder.path().join("run/status.sock")).ok()
    }

    fn kubectl(&self, args: &[&str]) -> Output {
        Self::command(self.folder.path()).arg("kubectl").args(args).output().expect("kubectl runs")
    }

    fn said(&self, args: &[&str]) -> String {
        String::from_utf8_lossy(&self.kubectl(args).stdout).trim().to_owned()
    }

    fn wait_ready(&self) -> Status {
        eventually("the node is ready", || self.status().filter(|status| status.phase == Phase::Ready))
    }

    /// Kills a component and waits until another life of it is ready.
    fn survive(&self, name: &str) {
        let of = |status: &Status| status.components.iter().find(|component| component.name == name).cloned();
        let before = of(&self.wait_ready()).expect("supervised");
        kill(before.pid.expect("runs"), "KILL");
        eventually("it is ready again", || {
            let status = self.status()?;
            (status.phase == Phase::Ready && of(&status)?.restarts > before.restarts).then_some(())
        });
    }

    fn assert_web_answers(&self) {
        let answer = |url: &str| {
            let url = url.to_owned();
            eventually(&format!("{url} answers"), || {
                let said = self.said(&["exec", "client", "--", "/bin/busybox", "wget", "-T", "5", "-qO-", &url]);
                (said == "hello").then_some(())
            });
        };
        let address = eventually("the service has an address", || {
            let address = self.said(&["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
            (!address.is_empty()).then_some(address)
        });
        answer(&format!("http://{address}/"));
        answer("http://web.default.svc.cluster.local/");
        assert_eq!(self.said(&["logs", "deployment/web"]), "serving");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kubectl(&["delete", "deployment,pod", "--all", "--all-namespaces", "--grace-period=1", "--timeout=60s"]);
        kill(self.process.id(), "TERM");
        let _ = self.process.wait();
        let mounted = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let here = self.folder.path().display().to_string();
        for mount in mounted.lines().filter_map(|line| line.split(' ').nth(1)).filter(|path| path.starts_with(&here)) {
            let _ = Command::new("umount").arg("-l").arg(mount).status();
        }
    }
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(180), "not within three minutes: {what}");
        std::thread::sleep(Duration::from_millis(250));
    }
}

fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status();
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/stat")).exists()
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn a_node_becomes_ready_serves_and_heals() {
    let mut node = Node::start();
    node.wait_ready();

    let images = std::fs::read_to_string(
        Path::new(&std::env::var_os("SK8S_IMAGES").expect("checked before")).join("images.json"),
    );
    let images = sk8s::component::images(&images.expect("a list of images")).expect("JSON");
    let manifest = node.folder.path().join("data/manifests/web.yaml");
    std::fs::write(&manifest, WEB.replace("BUSYBOX", &images["busybox"])).expect("written");
    node.assert_web_answers();

    for component in ["kube-apiserver", "kine", "containerd"] {
        node.survive(component);
        node.assert_web_answers();
    }

    let life = ["get", "pod", "client", "-o", "jsonpath={.status.containerStatuses[0].containerID}"];
    let before = node.said(&life);
    let orphans: Vec<u32> = node.wait_ready().components.iter().filter_map(|component| component.pid).collect();
    assert_eq!(orphans.len(), 7);
    kill(node.process.id(), "KILL");
    node.process.wait().expect("ended");
    eventually("a killed supervisor leaves no component", || orphans.iter().all(|pid| !is_alive(*pid)).then_some(()));
    node.process = Node::spawn(node.folder.path());
    node.wait_ready();
    assert_eq!(node.said(&life), before, "the pod was not restarted");
    node.assert_web_answers();
}
