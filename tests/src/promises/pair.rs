//! A controller and a worker on two machines with one network, made by the seeds of `skerry cluster new`.

use serde_json::json;
use skerry_formats::arch::Arch;
use skerry_qemu::{Cable, Deadline, Forward, Network, Options, Vm};

use super::{
    made::{self, Made},
    workload,
};
use crate::{
    Broken, Check,
    kubectl::{BUSYBOX, Kubectl},
    lab::Lab,
    node,
    report::Report,
};

/// Seconds from a machine's power on to what it is waited for, under emulation with the other one beside it.
const READY: u64 = 900;
/// Where the machines are on the cable between them. The worker's has no other card, and no way out.
const TOWER: &str = "192.168.7.1";
const BARN: &str = "192.168.7.2";
/// How many pods the worker takes by its profile.
const MOST_PODS: u32 = 23;

const JOINS: &str = "a worker joins a controller on another machine, each by its own seed";
const SERVES: &str = "a pod on the worker is found by name, and logs and exec reach it through the link";
const CONFIGURED: &str = "what a file of hosts passes on to sk8s reaches a worker and its controller by their seeds";
const MEASURES: &str = "kubectl top says what the worker and its pods use";

/// Checks all of them.
pub fn run(lab: &Lab, report: &mut Report) {
    if !report.wants(&[JOINS, CONFIGURED, SERVES, MEASURES]) {
        return;
    }
    const NONE: &str = "there is no cluster to show it on";
    let mut pair = None;
    report.long_promise(JOINS, || {
        let pair = pair.insert(Pair::boot(lab)?);
        pair.kubectl.until("the worker is Ready", Deadline::seconds(READY), |kubectl| {
            let node = kubectl.node_ready()?;
            let name = node["metadata"]["name"].as_str().unwrap_or_default();
            if name == "barn" { Ok(()) } else { Err(Broken(format!("the node is `{name}`"))) }
        })
    });
    report.long_promise(CONFIGURED, || match &pair {
        Some(pair) => pair.is_configured(),
        None => Err(Broken::new(NONE)),
    });
    report.long_promise(SERVES, || match &pair {
        Some(pair) => pair.serves(),
        None => Err(Broken::new(NONE)),
    });
    report.long_promise(MEASURES, || match &pair {
        Some(pair) => pair.measures(),
        None => Err(Broken::new(NONE)),
    });
}

/// Two machines.
struct Pair {
    _tower: Vm,
    _barn: Vm,
    kubectl: Kubectl,
}

impl Pair {
    fn boot(lab: &Lab) -> Check<Self> {
        let image = lab.built("pair", &[])?;
        let (api, cable) = (made::port()?, made::port()?);
        let card = |end: Cable, address: &str| json!([{ "mac": end.mac(), "addresses": [format!("{address}/24")] }]);
        let profiles = json!([{ "name": "small", "values": { "maxPods": MOST_PODS } }]);
        let hosts = json!({ "metricsServer": { "enabled": true }, "config": { "workerProfiles": profiles }, "hosts": [
            { "name": "tower", "role": "controller", "network": card(Cable::First(cable), TOWER) },
            { "name": "barn", "role": "worker", "network": card(Cable::Second(cable), BARN),
              "config": { "node": { "profile": "small" } } },
        ]});
        let seeds = Made::new(lab, "pair", &hosts)?;
        let machine = |name: &str, network: Network| -> Check<Options> {
            let mut options = lab.small(&format!("pair-{name}"), Arch::Amd64, &image)?;
            options.network = network;
            options.media = vec![seeds.medium(lab, name)?];
            Ok(options)
        };
        let forwards = vec![Forward { host: api, guest: 6443 }];
        let mut options = machine("tower", Network::Both(forwards, Cable::First(cable)))?;
        options.memory_mib = 2048;
        let mut tower = lab.start(options)?;
        tower.expect(TOWER, Deadline::seconds(READY)).map_err(Broken::when("the controller has no address"))?;
        let barn = lab.start(machine("barn", Network::Cable(Cable::Second(cable)))?)?;
        Ok(Self { _tower: tower, _barn: barn, kubectl: seeds.kubectl(lab, api)? })
    }

    /// The controller has the profile of its own seed, the worker its name of its.
    fn is_configured(&self) -> Check {
        let pods = self.kubectl.node_ready()?["status"]["capacity"]["pods"].clone();
        let found = pods.as_str().and_then(|text| text.parse().ok());
        if found == Some(MOST_PODS) { Ok(()) } else { Err(Broken(format!("the node takes {pods} pods"))) }
    }

    fn serves(&self) -> Check {
        let kubectl = &self.kubectl;
        let busybox = node::preloaded(kubectl, "busybox")?;
        kubectl.until("the default service account exists", Deadline::seconds(300), |kubectl| {
            kubectl.run(&["get", "serviceaccount", "default"])
        })?;
        workload::make(kubectl, &busybox)?;
        workload::available(kubectl, READY)?;
        kubectl.until("the client pod is Ready", Deadline::seconds(READY), |k| k.pod_ready("client"))?;
        workload::fetch(kubectl, "web.default.svc.cluster.local", 300)?;
        let logs = kubectl.run(&["logs", "deployment/web"])?;
        if !logs.contains("response:200") {
            return Err(Broken(format!("no request in the log: {logs}")));
        }
        let said = kubectl.run(&["exec", "client", "--", BUSYBOX, "echo", "from the barn"])?;
        if said.trim() == "from the barn" { Ok(()) } else { Err(Broken(format!("exec gave `{said}`"))) }
    }

    fn measures(&self) -> Check {
        self.kubectl.until("the worker and its pods are measured", Deadline::seconds(READY), |kubectl| {
            let top = |what| kubectl.run(&["top", what, "--no-headers"]);
            let (nodes, pods) = (top("nodes")?, top("pods")?);
            let both = nodes.starts_with("barn ") && pods.lines().any(|line| line.starts_with("web-"));
            if both { Ok(()) } else { Err(Broken(format!("nodes: {nodes}\npods: {pods}"))) }
        })
    }
}
