//! What a cluster is for: pods, Services, names, logs.

use serde_json::{Value, json};
use skerry_qemu::Deadline;

use crate::{
    Broken, Check,
    kubectl::{BUSYBOX, Kubectl},
    node::{INSPECTOR, Node},
};

/// The web server's Deployment and Service.
pub const WEB: &str = "web";
const SAYS: &str = "skerry stands";

/// Every image that the node knows carries a name of ours, and no pod waits for a pull.
pub fn nothing_pulled(node: &mut Node) -> Check {
    let status = node.kubectl.node_ready()?;
    let images = status["status"]["images"].as_array().cloned().unwrap_or_default();
    let names: Vec<String> =
        images.iter().flat_map(|image| image["names"].as_array().cloned().unwrap_or_default()).map(text).collect();
    match names.iter().find(|name| !name.starts_with("localhost/sk8s/")) {
        Some(foreign) => Err(Broken(format!("a foreign image: {foreign}"))),
        None if names.is_empty() => Err(Broken::new("the node reports no images")),
        None => Ok(()),
    }
}

/// The Deployment has its replica, and the pod beside it runs.
pub fn deployment(node: &mut Node) -> Check {
    available(&node.kubectl, 180)?;
    node.kubectl.until("the client pod is Ready", Deadline::seconds(240), |k| k.pod_ready("client")).map(|_| ())
}

/// Makes the Deployment, its Service and the pod that asks it.
pub fn make(kubectl: &Kubectl, busybox: &str) -> Check {
    let serve = format!(
        "{BUSYBOX} mkdir -p /www && echo '{SAYS}' >/www/index.html && exec {BUSYBOX} httpd -f -vv -p 8080 -h /www"
    );
    let labels = json!({"app": WEB});
    kubectl.apply(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": WEB},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{
                "name": "httpd", "image": busybox, "imagePullPolicy": "Never",
                "command": [BUSYBOX, "sh", "-c", serve],
                "ports": [{"containerPort": 8080}],
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2},
            }]},
        }},
    }))?;
    kubectl.apply(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": WEB},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }))?;
    kubectl.apply(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
            "name": "busybox", "image": busybox, "imagePullPolicy": "Never",
            "command": [BUSYBOX, "sleep", "1000000"],
        }]},
    }))
}

/// Waits until the Deployment has its replica.
pub fn available(kubectl: &Kubectl, seconds: u64) -> Check {
    kubectl.until("the Deployment is available", Deadline::seconds(seconds), |k| {
        let status = k.json(&["get", "deployment", WEB])?["status"].clone();
        if status["availableReplicas"] == 1 && status["observedGeneration"].is_number() {
            return Ok(());
        }
        let pods = k.json(&["get", "pods", "--selector=app=web"])?;
        Err(Broken(format!("{status}; pods: {}", pods["items"][0]["status"])))
    })
}

/// The Service answers under its address.
pub fn cluster_ip(node: &mut Node) -> Check {
    let address = service_address(&node.kubectl)?;
    fetch(&node.kubectl, &address, 60)
}

/// The Service answers under its name, and the name means its address.
pub fn dns(node: &mut Node) -> Check {
    let address = service_address(&node.kubectl)?;
    let name = "web.default.svc.cluster.local";
    let asked = node.kubectl.until("cluster DNS answers", Deadline::seconds(240), |k| {
        k.shell("client", &format!("{BUSYBOX} nslookup -type=a {name}"))
    })?;
    if !asked.contains(&address) {
        return Err(Broken(format!("`{name}` is not {address}: {asked}")));
    }
    fetch(&node.kubectl, name, 60)
}

/// The requests are in the server's log, and a command in the pod prints what it should.
pub fn logs_and_exec(node: &mut Node) -> Check {
    let logs = node.kubectl.run(&["logs", "deployment/web"])?;
    if !logs.contains("response:200") {
        return Err(Broken(format!("no request in the log: {logs}")));
    }
    let file = node.kubectl.run(&["exec", "deployment/web", "--", BUSYBOX, "cat", "/www/index.html"])?;
    let failed = node.kubectl.ask(&["exec", INSPECTOR, "--", BUSYBOX, "sh", "-c", "exit 7"])?;
    match (file.trim(), failed.code) {
        (SAYS, Some(7)) => Ok(()),
        other => Err(Broken(format!("exec gave {other:?}"))),
    }
}

/// kube-apiserver hands requests for the kubelet's metrics on, by a name that no DNS server knows.
pub fn metrics(node: &mut Node) -> Check {
    let name = text(node.kubectl.node_ready()?["metadata"]["name"].clone());
    let said = node.kubectl.run(&["get", "--raw", &format!("/api/v1/nodes/{name}/proxy/metrics/resource")])?;
    match said.contains("container_memory_working_set_bytes") {
        true => Ok(()),
        false => Err(Broken(format!("no container is in them: {said}"))),
    }
}

/// A pod whose RuntimeClass says so has its containers made by crun, which then keeps their state.
pub fn crun(node: &mut Node) -> Check {
    const POD: &str = "crun";
    let kept = format!("{BUSYBOX} ls /host/run/sk8s/crun/k8s.io 2>&1 || true");
    node.kubectl.apply(&json!({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": POD}, "handler": "crun",
    }))?;
    node.kubectl.apply(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD},
        "spec": {"runtimeClassName": POD, "terminationGracePeriodSeconds": 0, "containers": [{
            "name": "busybox", "image": node.busybox, "imagePullPolicy": "Never",
            "command": [BUSYBOX, "sleep", "1000000"],
        }]},
    }))?;
    let pod = node.kubectl.until("the pod in crun is Ready", Deadline::seconds(180), |k| k.pod_ready(POD))?;
    let id = text(pod["status"]["containerStatuses"][0]["containerID"].clone());
    let states = node.kubectl.shell(INSPECTOR, &kept)?;
    let gone = node.kubectl.run(&["delete", "pod", POD, "--wait=false"]);
    match id.strip_prefix("containerd://") {
        Some(id) if states.lines().any(|line| line.trim() == id) => gone.map(drop),
        _ => Err(Broken(format!("container `{id}` is not among crun's: {states}"))),
    }
}

/// Fetches the page from another pod.
pub fn fetch(kubectl: &Kubectl, host: &str, seconds: u64) -> Check {
    kubectl.until(&format!("`{host}` answers"), Deadline::seconds(seconds), |k| {
        let page = k.shell("client", &format!("{BUSYBOX} wget -q -T 5 -O - http://{host}/"))?;
        if page.trim() == SAYS { Ok(()) } else { Err(Broken(format!("it says `{page}`"))) }
    })
}

fn service_address(kubectl: &Kubectl) -> Check<String> {
    let service = kubectl.json(&["get", "service", WEB])?;
    service["spec"]["clusterIP"].as_str().map(str::to_owned).ok_or_else(|| Broken::new("the Service has no address"))
}

fn text(value: Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
