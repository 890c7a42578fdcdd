//! What is started with what, to the letter.

use std::path::{Path, PathBuf};

use super::{ComponentId, ComponentSpec, Plan, components, files};
use crate::{
    config::{Raw, Settings},
    duty::Duty,
    paths::Paths,
    peers::Known,
    sys::{
        accounts::Account,
        cgroup,
        machine::{Machine, OomControl},
    },
};

const CONFIG: &str = "
apiVersion: sk8s.skerry.dev/v1
kind: ClusterConfig
metadata: {name: shed}
spec:
  node:
    name: barn
    labels: {place: barn, topology.kubernetes.io/zone: yard}
    taints: ['dedicated=db:NoSchedule']
";

pub(crate) fn machine() -> Machine {
    Machine {
        memory_mib: 1981,
        processors: 2,
        address: [10, 0, 2, 15].into(),
        second: None,
        addresses: vec![[10, 0, 2, 15].into()],
        oom: OomControl::Full,
        cgroups: cgroup::Version::V2,
        shims: Some("/sk8s-shims"),
        crun: None,
        passwd: "root:x:0:0::/:/bin/sh\nkine:x:303:303::/:\nkube-apiserver:x:300:300::/:\n".into(),
        resolver: "nameserver 10.0.2.3\n".into(),
    }
}

/// Compares with a file of `golden/`; with `BLESS` set, writes it instead.
pub(crate) fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        let owner = Account { uid: nix::unistd::getuid().as_raw(), gid: nix::unistd::getgid().as_raw() };
        crate::sys::fs::write(&path, text.as_bytes(), crate::sys::fs::Access::Public, owner).expect("written");
    }
    assert_eq!(text, crate::sys::fs::read_to_string(&path).expect("a golden file"), "{name}");
}

fn command_lines(duty: Duty) -> String {
    command_lines_of(CONFIG, duty)
}

fn command_lines_of(config: &str, duty: Duty) -> String {
    let settings = Settings::validate(&Raw::parse(config).expect("well-formed"), "-").expect("valid");
    let (paths, machine) = (Paths::default(), machine());
    let plan = Plan {
        duty,
        settings: &settings,
        paths: &paths,
        machine: &machine,
        known: &Known::default(),
        pause: "localhost/sk8s/pause:3.10",
    };
    components(&plan).iter().map(described).collect()
}

fn described(spec: &ComponentSpec) -> String {
    let mut text = String::new();
    let Account { uid, gid } = spec.account;
    let needs: Vec<_> = spec.needs.iter().map(|n| format!("{} {:?}", n.component, n.stage)).collect();
    text.push_str(&format!("{}\n  user {uid}:{gid}\n", spec.id));
    let limits = spec.limits;
    text.push_str(&format!("  memory.high {}M cpu.weight {}", limits.memory_high_mib, limits.cpu_weight));
    if limits.cpu_weight_at_start != limits.cpu_weight {
        text.push_str(&format!(", {} until it is ready", limits.cpu_weight_at_start));
    }
    text.push('\n');
    text.push_str(&format!("  after {}\n", if needs.is_empty() { "nothing".into() } else { needs.join(", ") }));
    text.push_str(&format!("  until {:?}\n  stops in {:?} with {:?}\n", spec.probe, spec.grace, spec.scope));
    for (key, value) in &spec.env {
        text.push_str(&format!("  {key}={value}\n"));
    }
    text.push_str(&format!("  {}\n", spec.program.display()));
    for arg in &spec.args {
        text.push_str(&format!("    {arg}\n"));
    }
    text
}

#[test]
fn a_single_nodes_command_lines_are_the_golden_ones() {
    golden("argv-single.txt", &command_lines(Duty::Single));
}

#[test]
fn a_controllers_command_lines_are_the_golden_ones() {
    golden("argv-controller.txt", &command_lines(Duty::Controller));
}

#[test]
fn a_workers_command_lines_are_the_golden_ones() {
    golden("argv-worker.txt", &command_lines(Duty::Worker));
}

#[test]
fn every_component_comes_after_those_that_it_needs() {
    for duty in [Duty::Controller, Duty::ControllerWorker, Duty::Single, Duty::Worker] {
        let settings = Settings::validate(&Raw::default(), "barn").expect("defaults");
        let (paths, machine) = (Paths::default(), machine());
        let all = components(&Plan {
            duty,
            settings: &settings,
            paths: &paths,
            machine: &machine,
            known: &Known::default(),
            pause: "pause",
        });
        for (place, spec) in all.iter().enumerate() {
            for need in &spec.needs {
                assert!(all[..place].iter().any(|other| other.id == need.component), "{duty:?}: {}", spec.id);
            }
        }
    }
}

/// Only what the datastore changes: its own component and what kube-apiserver is told of it.
fn storage_lines(storage: &str) -> String {
    let text = command_lines_of(&format!("{CONFIG}  storage: {storage}\n"), Duty::Controller);
    let end = text.find("kube-controller-manager\n").expect("it follows");
    let mut own = true;
    text[..end]
        .lines()
        .filter(|line| {
            own = if line.starts_with(' ') { own } else { *line != "kube-apiserver" };
            own || !line.starts_with(' ') || line.contains("--etcd-") || line.contains("  after ")
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn each_datastores_command_lines_are_the_golden_ones() {
    let external = "{type: etcd, etcd: {externalCluster: {endpoints: ['https://a:2379', 'https://b:2379'], caFile: /a, \
                    clientCertFile: /b, clientKeyFile: /c, etcdPrefix: /shed}}}";
    let storages = [
        ("kine on a server", "{kine: {dataSource: 'postgres://kine:tulip@10.0.2.9/shed'}}"),
        ("etcd", "{type: etcd, etcd: {extraArgs: {snapshot-count: 5000, log-level: info}}}"),
        ("etcd at another address", "{type: etcd, etcd: {peerAddress: 'fd00::7'}}"),
        ("somebody else's etcd", external),
    ];
    let text: String =
        storages.iter().map(|(title, storage)| format!("== {title}\n{}", storage_lines(storage))).collect();
    golden("argv-storage.txt", &text);
}

#[test]
fn a_password_is_in_no_argument() {
    let text = storage_lines("{kine: {dataSource: 'mysql://kine:tulip@tcp(10.0.2.9:3306)/shed'}}");
    let told: Vec<&str> = text.lines().filter(|line| line.contains("tulip")).collect();
    assert_eq!(told, ["  KINE_ENDPOINT=mysql://kine:tulip@tcp(10.0.2.9:3306)/shed"]);
}

#[test]
fn rendered_files_are_the_golden_ones() {
    let settings = Settings::validate(&Raw::parse(CONFIG).expect("well-formed"), "-").expect("valid");
    let (paths, machine) = (Paths::default(), machine());
    let pause = "localhost/sk8s/pause:3.10";
    let plan = Plan {
        duty: Duty::Single,
        settings: &settings,
        paths: &paths,
        machine: &machine,
        known: &Known::default(),
        pause,
    };
    let text: String = files(&plan).iter().map(|file| format!("== {}\n{}", file.path.display(), file.text)).collect();
    golden("files-single.txt", &text);
}

/// Shows what is planned for a node of a configuration.
fn planned(yaml: &str, duty: Duty, look: impl FnOnce(&Plan<'_>)) {
    let settings = Settings::validate(&Raw::parse(yaml).expect("well-formed"), "barn").expect("valid");
    let (paths, machine, known) = (Paths::default(), machine(), Known::default());
    look(&Plan { duty, settings: &settings, paths: &paths, machine: &machine, known: &known, pause: "pause" });
}

#[test]
fn flannels_files_are_the_golden_ones() {
    let mut text = String::new();
    for backend in ["{}", "{backend: vxlan, port: 4789, vni: 7, mtu: 1400}", "{backend: host-gw}"] {
        planned(&format!("spec: {{network: {{flannel: {backend}}}}}"), Duty::Worker, |plan| {
            let file = files(plan).into_iter().find(|file| file.path.ends_with("network.json")).expect("flannel's");
            text.push_str(&format!("== {} for {backend}\n{}", file.path.display(), file.text));
        });
    }
    golden("files-flannel.txt", &text);
}

#[test]
fn the_metrics_servers_command_line_is_the_golden_one() {
    planned("spec: {metricsServer: {enabled: true}}", Duty::Controller, |plan| {
        let specs = components(plan);
        let spec = specs.iter().find(|spec| spec.id == ComponentId::MetricsServer).expect("it runs");
        golden("argv-metrics.txt", &described(spec));
    });
    planned("spec: {metricsServer: {enabled: true}}", Duty::Worker, |plan| {
        assert!(
            components(plan).iter().all(|spec| spec.id != ComponentId::MetricsServer),
            "beside kube-apiserver alone"
        );
    });
}

#[test]
fn a_network_of_the_owners_runs_without_flannel() {
    planned("spec: {network: {provider: custom}}", Duty::Worker, |plan| {
        assert!(components(plan).iter().all(|spec| spec.id != ComponentId::Flannel));
        assert!(files(plan).iter().all(|file| !file.path.ends_with("network.json")));
    });
}

#[test]
fn a_runtime_of_the_machines_is_neither_run_nor_waited_for() {
    planned("spec: {node: {criSocket: 'unix:///run/crio/crio.sock'}}", Duty::Single, |plan| {
        let of_containerd = |id: ComponentId| id == ComponentId::Containerd;
        let specs = components(plan);
        assert!(
            specs
                .iter()
                .all(|spec| !of_containerd(spec.id) && spec.needs.iter().all(|need| !of_containerd(need.component)))
        );
        let files = files(plan);
        let kubelet = files.iter().find(|file| file.path.ends_with("kubelet/config.json")).expect("kubelet's");
        assert!(
            kubelet.text.contains(r#""containerRuntimeEndpoint": "unix:///run/crio/crio.sock""#),
            "{}",
            kubelet.text
        );
        assert!(files.iter().any(|file| file.path == Path::new("/etc/cni/net.d/10-sk8s.conflist")));
        assert!(files.iter().all(|file| !file.path.ends_with("containerd/config.toml")));
    });
}

#[test]
fn a_controller_runs_no_workloads() {
    let text = command_lines(Duty::Controller);
    for absent in [ComponentId::Kubelet, ComponentId::Containerd, ComponentId::KubeProxy, ComponentId::Flannel] {
        assert!(!text.contains(&format!("{absent}\n")), "{absent}");
    }
}

#[test]
fn a_large_machine_is_not_told_to_save() {
    let large = Machine { memory_mib: 16_384, ..machine() };
    let env = super::share::environment(ComponentId::KubeApiserver, &large);
    let told = [("GOGC", "100"), ("GOMEMLIMIT", "3276MiB"), ("SK8S_GC_SPAN", "10s")];
    assert_eq!(env, told.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn two_processors_are_left_to_the_api() {
    let told = |component, processors| {
        let env = super::share::environment(component, &Machine { processors, ..machine() });
        env.into_iter().find(|(name, _)| *name == "GOMAXPROCS").map(|(_, count)| count)
    };
    assert_eq!(told(ComponentId::Kine, 2).as_deref(), Some("1"));
    assert_eq!(told(ComponentId::Kine, 4), None);
    assert_eq!(told(ComponentId::KubeApiserver, 1), None);
}

#[test]
fn crun_is_a_runtime_where_the_machine_has_it() {
    let config = |machine: &Machine| {
        let settings = Settings::validate(&Raw::default(), "barn").expect("valid");
        let (paths, known) = (Paths::default(), Known::default());
        let plan =
            Plan { duty: Duty::Single, settings: &settings, paths: &paths, machine, known: &known, pause: "pause" };
        files(&plan).into_iter().find(|file| file.path.ends_with("containerd/config.toml")).expect("a file").text
    };
    assert!(!config(&machine()).contains("runtimes.crun"));
    let with = Machine { crun: Some("/usr/bin/crun".into()), ..machine() };
    assert!(config(&with).contains("runtimes.crun.options]\nBinaryName = '/usr/bin/crun'\n"));
}
