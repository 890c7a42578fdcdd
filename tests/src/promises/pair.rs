//! A controller and a worker on two machines with one network, made by the seeds of `skerry cluster new`.

use serde_json::json;
use skerry_formats::arch::Arch;
use skerry_qemu::{Cable, Deadline, Forward, Medium, Network, Options, Vm, files, free_port};

use super::workload;
use crate::{
    Broken, Check,
    kubectl::{BUSYBOX, Kubectl},
    lab::Lab,
    node,
    process::Program,
    report::Report,
};

/// Seconds from a machine's power on to what it is waited for, under emulation with the other one beside it.
const READY: u64 = 900;
/// Where the machines are on the cable between them. The worker's has no other card, and no way out.
const TOWER: &str = "192.168.7.1";
const BARN: &str = "192.168.7.2";

const JOINS: &str = "a worker joins a controller on another machine, each by its own seed";
const SERVES: &str = "a pod on the worker is found by name, and logs and exec reach it through the link";

/// Checks both.
pub fn run(lab: &Lab, report: &mut Report) {
    if !report.wants(&[JOINS, SERVES]) {
        return;
    }
    let mut pair = None;
    report.promise(JOINS, || {
        let pair = pair.insert(Pair::boot(lab)?);
        pair.kubectl.until("the worker is Ready", Deadline::seconds(READY), |kubectl| {
            let node = kubectl.node_ready()?;
            let name = node["metadata"]["name"].as_str().unwrap_or_default();
            if name == "barn" { Ok(()) } else { Err(Broken(format!("the node is `{name}`"))) }
        })
    });
    report.promise(SERVES, || match &pair {
        Some(pair) => pair.serves(),
        None => Err(Broken::new("there is no cluster to show it on")),
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
        let (api, cable) = (port()?, port()?);
        let seeds = Seeds::make(lab, api, cable)?;
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
        Ok(Self { _tower: tower, _barn: barn, kubectl: seeds.kubectl })
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
}

/// What `skerry cluster new` made.
struct Seeds {
    folder: std::path::PathBuf,
    kubectl: Kubectl,
}

impl Seeds {
    fn make(lab: &Lab, api: u16, cable: u16) -> Check<Self> {
        let (folder, hosts, config) =
            (lab.scratch("pair-cluster"), lab.scratch("hosts.yaml"), lab.scratch("pair.kubeconfig"));
        let card = |end: Cable, address: &str| json!([{ "mac": end.mac(), "addresses": [format!("{address}/24")] }]);
        let text = json!({
            "apiVersion": "skerry.dev/v1",
            "kind": "Cluster",
            "spec": { "hosts": [
                { "name": "tower", "role": "controller", "network": card(Cable::First(cable), TOWER) },
                { "name": "barn", "role": "worker", "network": card(Cable::Second(cable), BARN) },
            ]},
        });
        files::write(&hosts, text.to_string().as_bytes()).map_err(Broken::when("no file of hosts"))?;
        let verb = |words: &[&str]| -> Check<String> {
            let program = Program::new(lab.skerry()).args(["cluster"]).args(words).arg("--out").arg(&folder);
            program.finish()?.success()
        };
        verb(&["new", "pair", "--hosts", &hosts.display().to_string()])?;
        let text = verb(&["kubeconfig", "pair", "--server", &format!("https://127.0.0.1:{api}")])?;
        files::write(&config, text.as_bytes()).map_err(Broken::when("no kubeconfig"))?;
        let command = format!("{} --quiet kubectl --kubeconfig {}", lab.skerry().display(), config.display());
        Ok(Self { folder, kubectl: Kubectl::new(command, lab.interrupt.clone()) })
    }

    /// A host's seed on a medium.
    fn medium(&self, lab: &Lab, host: &str) -> Check<std::path::PathBuf> {
        let seed =
            files::read_text(&self.folder.join(format!("seeds/{host}.yaml"))).map_err(Broken::when("no seed"))?;
        let medium = lab.scratch(&format!("pair-{host}.img"));
        Medium::nocloud(seed).write(&medium).map_err(Broken::when("no medium"))?;
        Ok(medium)
    }
}

fn port() -> Check<u16> {
    free_port(None).map_err(Broken::when("no free port"))
}
