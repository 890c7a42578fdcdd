//! What a cluster's network need not be: a pod network that its owner installs from manifests, and Services by another mode of
//! kube-proxy or by none.

use super::{
    eventually,
    join::tower,
    lan::Lan,
    machine::Machine,
    node::{Node, folder_of},
    several::{spread, workers},
    single::assert_web_answers,
};

const MEADOW: &str = include_str!("meadow.yaml");
const WEB: &str = include_str!("web.yaml");
const FILE: &str = "--config=/var/sk8s.yaml";

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_network_installed_from_manifests_connects_pods() {
    let lan = Lan::new();
    let (tower, good) = tower(&lan, "spec: {network: {provider: custom}}");
    let (mill, barn) = workers(&lan, &tower, &good);
    let why = ["get", "node", "mill", "-o", "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}"];
    eventually("a node without a network says so", || tower.said(&why).contains("cni").then_some(()));
    let folder = |key| folder_of(key).display().to_string();
    tower.apply(
        "meadow.yaml",
        &MEADOW.replace("COMPONENTS", &folder("SK8S_COMPONENTS")).replace("PLUGINS", &folder("SK8S_CNI")),
    );
    tower.apply("web.yaml", &spread());
    mill.wait_ready();
    barn.wait_ready();
    assert_web_answers(&tower);
    let links = barn.machine.shell("ls /sys/class/net");
    assert!(links.contains("meadow0") && !links.contains("cni0") && !links.contains("flannel"), "{links}");
}

fn configure(machine: &Machine, proxy: &str) {
    let ranges = "podCIDR: 10.9.0.0/16, serviceCIDR: 10.98.0.0/20";
    machine.shell(&format!("echo 'spec: {{network: {{{ranges}, kubeProxy: {proxy}}}}}' > /var/sk8s.yaml"));
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn services_are_made_by_iptables_or_by_nobody() {
    let machine = Machine::boot_alone("barn").with_programs();
    configure(&machine, "{mode: iptables}");
    let mut node = Node::start(machine, &["controller", "--single", FILE]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let rules = node.machine.shell("iptables-save; nft list tables");
    assert!(rules.contains("KUBE-SVC-") && !rules.contains("table ip kube-proxy"), "{rules}");

    node.stop();
    configure(&node.machine, "{disabled: true}");
    node.start_again();
    let status = node.wait_ready();
    assert!(status.components.iter().all(|component| component.name != "kube-proxy"));
    let rules = node.machine.shell("iptables-save; nft list tables");
    assert!(!rules.contains("KUBE-SVC-") && !rules.contains("table ip kube-proxy"), "{rules}");
    let said = |url: &str| node.said(&["exec", "client", "--", "/bin/busybox", "wget", "-T", "3", "-qO-", url]);
    let pod = node.said(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].status.podIP}"]);
    eventually("the pod itself answers", || (said(&format!("http://{pod}:8080/")) == "hello").then_some(()));
    let service = node.said(&["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
    assert!(pod.starts_with("10.9.") && service.starts_with("10.98."), "{pod}, {service}");
    assert_eq!(said(&format!("http://{service}/")), "", "nobody answers for the Service");
}
