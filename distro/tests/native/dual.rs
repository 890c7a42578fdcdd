//! Two families of addresses: pods and Services have both, across nodes and out of the cluster.

use std::{
    net::{IpAddr, TcpListener},
    thread,
};

use super::{
    eventually, join::tower, lan::Lan, machine::Machine, node::Node, several::spread, single::assert_web_answers,
};

const CONFIG: &str = "spec: {network: {dualStack: {enabled: true}}}";

const SECOND: &str = "
apiVersion: v1
kind: Service
metadata: {name: second}
spec:
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv6]
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
";

/// Where the network itself is called.
const OUTSIDE: &str = "fd99::fe";

fn also(machine: Machine, second: &str) -> Machine {
    let done = machine.run(&["ip", "-6", "addr", "add", &format!("{second}/64"), "dev", "eth0", "nodad"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    machine
}

/// What a pod that calls from `node` is seen as outside.
fn seen_as(lan: &Lan, node: &Node) -> IpAddr {
    let listener = lan.0.within(|| TcpListener::bind((OUTSIDE, 8000)).expect("a listener"));
    thread::scope(|scope| {
        let caller = scope.spawn(move || listener.accept().expect("a caller").1.ip());
        let url = format!("http://[{OUTSIDE}]:8000/");
        eventually("the pod has called", || {
            node.said(&["exec", "client", "--", "/bin/busybox", "wget", "-T", "2", "-qO-", &url]);
            caller.is_finished().then_some(())
        });
        caller.join().expect("seen")
    })
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn pods_and_services_have_two_families_across_nodes() {
    let lan = Lan::new();
    lan.0.ip(&format!("-6 addr add {OUTSIDE}/64 dev switch nodad"));
    let (tower, good) = tower(&lan, CONFIG);
    let worker = |name: &str, last: u8| {
        let machine = lan.boot(name, [192, 168, 99, last].into());
        Node::start(also(machine, &format!("fd99::{last}")), &["worker", &good])
    };
    let (mill, barn) = (worker("mill", 2), worker("barn", 3));
    mill.wait_ready();
    barn.wait_ready();
    tower.apply("web.yaml", &spread());
    tower.apply("second.yaml", SECOND);
    assert_web_answers(&tower);
    let second = eventually("the second service has an address", || {
        let address = tower.said(&["get", "service", "second", "-o", "jsonpath={.spec.clusterIP}"]);
        address.starts_with("fd00:10:96:").then_some(address)
    });
    let pod = tower.said(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].status.podIPs[1].ip}"]);
    assert!(pod.starts_with("fd00:10:244:"), "{pod}");
    for url in [format!("[{pod}]:8080"), format!("[{second}]"), "second.default.svc.cluster.local".to_owned()] {
        eventually(&format!("{url} answers"), || {
            let url = format!("http://{url}/");
            let wget = ["exec", "client", "--", "/bin/busybox", "wget", "-T", "5", "-qO-", &url];
            (tower.said(&wget) == "hello").then_some(())
        });
    }
    assert_eq!(seen_as(&lan, &tower), "fd99::3".parse::<IpAddr>().expect("an address"), "as the node");
    let rows =
        tower.said(&["get", "node", "barn", "-o", "jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}"]);
    assert_eq!(rows, "192.168.99.3 fd99::3");
}
