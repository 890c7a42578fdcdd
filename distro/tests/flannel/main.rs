//! Pods of two nodes reach each other: flannel as we start it, kube-controller-manager as it hands out subnets, the
//! runtime's plugin with our configuration, and our masquerading rule, in network namespaces of this machine. Needs root,
//! `ip`, `nft`, a kernel with VXLAN, and upstream's programs:
//!
//! ```text
//! SK8S_COMPONENTS=DIR SK8S_CNI=DIR cargo test --release -p sk8s --test flannel -- --ignored
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test of processes starts some, and says so when it fails"
)]

mod cluster;
mod lan;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use cluster::Cluster;
use lan::{Lan, Space};
use sk8s::{
    component::{ComponentId, Plan, flannel},
    config::{Raw, Settings},
    network::{self, Backend, Bridge, Leaving, Readiness, SubnetFile, masquerade},
    paths::Paths,
    sys::machine,
};

const PODS: &str = "10.244.0.0/16";

/// A node without a kubelet: what is between nodes needs none.
struct Node<'a> {
    name: &'a str,
    space: &'a Space,
    settings: Settings,
    paths: Paths,
    flannel: Option<Child>,
}

impl<'a> Node<'a> {
    fn new(cluster: &Cluster<'_>, name: &'a str, space: &'a Space, folder: &Path) -> Self {
        let paths = Paths { run: folder.join(name), components: folder_of("SK8S_COMPONENTS"), ..Paths::default() };
        cluster.admit(name, &paths.of(ComponentId::Kubelet));
        for folder in [paths.of(ComponentId::Flannel), paths.cni_config()] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let settings = Settings::validate(&Raw::default(), name).expect("valid");
        assert_eq!(settings.pods.to_string(), PODS);
        Self { name, space, settings, paths, flannel: None }
    }

    /// Makes the node's object, as its kubelet would.
    fn register(&self, cluster: &Cluster<'_>) {
        let object = format!("{{apiVersion: v1, kind: Node, metadata: {{name: {}}}}}", self.name);
        let own = self.paths.of(ComponentId::Kubelet).join("kubeconfig");
        let made = cluster.kubectl_as(&own, &["create", "--validate=false", "-f", "-"], &object);
        assert_eq!(made, Some(format!("node/{} created", self.name)));
    }

    fn start(&mut self, backend: Backend) {
        let machine = self.space.within(machine::observe).expect("it has an address");
        assert_eq!(machine.addresses, [machine.address], "the interfaces of pods are not the node's");
        let plan = Plan { settings: &self.settings, paths: &self.paths, machine: &machine, pause: "none" };
        for file in flannel::files(&plan, backend) {
            std::fs::write(file.path, file.text).expect("written");
        }
        let spec = flannel::spec(&plan);
        let log = std::fs::File::options().create(true).append(true).open(self.paths.run.join("log")).expect("a log");
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).envs(spec.env).stdin(Stdio::null()).stderr(log);
        self.flannel = Some(self.space.within(move || command.spawn().expect("flannel starts")));
    }

    fn wait_health(&self, wanted: u16) {
        let what = format!("flannel of {} says {wanted}", self.name);
        eventually(&what, || self.space.health(10261).filter(|code| *code == wanted));
    }

    /// Ends flannel as the supervisor does; it must end well.
    fn stop(&mut self) {
        let pid = self.flannel.as_ref().expect("runs").id();
        assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().expect("kill runs").success());
        assert_eq!(self.wait_end(), Some(0));
    }

    fn wait_end(&mut self) -> Option<i32> {
        let mut child = self.flannel.take().expect("runs");
        let ended = eventually("flannel ends", || child.try_wait().expect("a child"));
        ended.code()
    }

    fn restart(&mut self, backend: Backend) {
        self.start(backend);
        self.wait_health(200);
    }

    /// What flannel made of the node's part of the network.
    fn made(&self) -> SubnetFile {
        SubnetFile::parse(&std::fs::read_to_string(self.paths.flannel_subnet()).expect("written")).expect("flannel's")
    }

    /// Plugs a pod in, by the plugin that the runtime would call, and returns its address.
    fn plug(&self, pod: &Space) -> IpAddr {
        let made = self.made();
        let addresses = self.paths.run.join("addresses");
        let bridge =
            Bridge { subnet: made.subnet, mtu: Some(made.mtu), leaving: Leaving::ByRule, addresses: &addresses };
        let list: serde_json::Value = serde_json::from_str(&bridge.conflist()).expect("JSON");
        let mut config = list["plugins"][0].clone();
        (config["cniVersion"], config["name"]) = (list["cniVersion"].clone(), list["name"].clone());
        let file = self.paths.run.join("plugin.json");
        std::fs::write(&file, config.to_string()).expect("written");
        let mut command = Command::new(folder_of("SK8S_CNI").join("bridge"));
        command.stdin(std::fs::File::open(file).expect("there")).env("CNI_PATH", folder_of("SK8S_CNI"));
        command.envs([("CNI_COMMAND", "ADD"), ("CNI_IFNAME", "eth0")]);
        command.env("CNI_NETNS", pod.path()).env("CNI_CONTAINERID", pod.name());
        let out = self.space.within(move || command.output().expect("the plugin runs"));
        let answer: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
        let address = answer["ips"][0]["address"].as_str().unwrap_or_else(|| panic!("no address: {answer}"));
        address.split('/').next().expect("one part").parse().expect("an address")
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        tell(&self.paths.run.join("log"));
        if let Some(mut child) = self.flannel.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn folder_of(key: &str) -> PathBuf {
    std::env::var_os(key).unwrap_or_else(|| panic!("{key} is not set")).into()
}

fn program(name: &str) -> PathBuf {
    folder_of("SK8S_COMPONENTS").join(name)
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(180), "not within three minutes: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The last lines of a log, where a test has failed.
fn tell(log: &Path) {
    if std::thread::panicking() {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        println!("== {}\n{}", log.display(), lines[lines.len().saturating_sub(5)..].join("\n"));
    }
}

/// A pod and the address that it has.
struct Pod<'a> {
    space: &'a Space,
    address: IpAddr,
}

/// Both pods reach each other, and each sees the other's own address.
fn assert_connected(one: &Pod<'_>, other: &Pod<'_>) {
    for (from, to) in [(one, other), (other, one)] {
        let seen = eventually("the pods reach each other", || from.space.send(to.space, to.address));
        assert_eq!(seen, from.address, "no address was changed on the way");
    }
}

/// What the runtime would be told on the control plane's own node.
fn ready(cluster: &Cluster<'_>, node: &Node<'_>) -> Readiness {
    let client = cluster.client();
    node.space.within(|| network::ready(&client, &node.settings, &node.paths)).expect("the API answers")
}

#[test]
#[ignore = "needs root and upstream's programs"]
fn pods_of_two_nodes_reach_each_other_by_either_backend() {
    let folder = tempfile::tempdir().expect("a folder");
    let lan = Lan::new();
    let [hub, spoke] = [("hub", "192.168.99.1"), ("spoke", "192.168.99.2")];
    let hub_space = lan.join(hub.0, hub.1.parse().expect("an address"));
    let spoke_space = lan.join(spoke.0, spoke.1.parse().expect("an address"));
    let [one, other, late] = ["one", "other", "late"].map(Space::new);
    let cluster = Cluster::start(&hub_space, &folder.path().join("cluster"), hub.1.parse().expect("an address"), PODS);
    let mut hub = Node::new(&cluster, hub.0, &hub_space, folder.path());
    let mut spoke = Node::new(&cluster, spoke.0, &spoke_space, folder.path());

    hub.start(Backend::Vxlan);
    hub.wait_health(503);
    assert_eq!(ready(&cluster, &hub), Readiness::NoSubnet);
    hub.register(&cluster);
    hub.wait_health(200);
    spoke.register(&cluster);
    spoke.restart(Backend::Vxlan);
    assert_ne!(hub.made().subnet, spoke.made().subnet);
    assert_eq!(hub.made().mtu.bytes(), 1450);
    assert_eq!(ready(&cluster, &hub), Readiness::Ready(hub.made()));
    spoke.space.within(|| masquerade::apply(spoke.settings.pods)).expect("rules are loaded");

    let one = Pod { space: &one, address: hub.plug(&one) };
    let other = Pod { space: &other, address: spoke.plug(&other) };
    assert_connected(&one, &other);
    assert!(way(&hub, &other).contains("dev flannel.1"), "{}", way(&hub, &other));
    let outside = Lan::ADDRESS.parse().expect("an address");
    let seen = other.space.send(&lan.0, outside).expect("pods reach what is outside");
    assert_eq!(seen.to_string(), "192.168.99.2", "outside the node's address is seen");

    survive_restarts(&mut hub, [&one, &other]);
    survive_loss_of_the_object(&cluster, &mut spoke);
    let other = Pod { space: &late, address: spoke.plug(&late) };
    assert_connected(&one, &other);

    for node in [&mut hub, &mut spoke] {
        node.stop();
        node.restart(Backend::HostGateway);
    }
    eventually("the way is a plain route", || way(&hub, &other).contains("via 192.168.99.2 dev eth0").then_some(()));
    eventually("the way back is too", || way(&spoke, &one).contains("via 192.168.99.1 dev eth0").then_some(()));
    assert_eq!(ready(&cluster, &hub), Readiness::Ready(hub.made()));
    assert_eq!(hub.made().mtu.bytes(), 1500);
    assert_connected(&one, &other);

    cluster.kubectl(&["delete", "node", "spoke"], "").expect("deleted");
    eventually("no way to a node that is gone", || {
        (!way(&hub, &other).contains("via 192.168.99.2 dev eth0")).then_some(())
    });
}

/// The kernel's way from a node to a pod.
fn way(node: &Node<'_>, pod: &Pod<'_>) -> String {
    node.space.ip(&format!("route get {}", pod.address))
}

fn survive_restarts(hub: &mut Node<'_>, [one, other]: [&Pod<'_>; 2]) {
    hub.stop();
    assert_connected(one, other);
    hub.restart(Backend::Vxlan);
    assert_connected(one, other);
    hub.space.ip("link del flannel.1");
    assert_eq!(hub.wait_end(), Some(1), "it lets itself be started anew");
    hub.restart(Backend::Vxlan);
    assert_connected(one, other);
}

/// Somebody deletes a node's object, and its kubelet makes another, which gets another subnet.
fn survive_loss_of_the_object(cluster: &Cluster<'_>, spoke: &mut Node<'_>) {
    let before = spoke.made();
    cluster.kubectl(&["delete", "node", "spoke"], "").expect("deleted");
    spoke.register(cluster);
    assert_eq!(spoke.wait_end(), Some(1), "it lets itself be started anew");
    spoke.restart(Backend::Vxlan);
    assert_ne!(spoke.made().subnet, before.subnet);
}
