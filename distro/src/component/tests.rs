//! What is started with what, to the letter.

use std::path::PathBuf;

use skerry_formats::role::Role;

use super::{ComponentId, Plan, components, files};
use crate::{
    config::{Raw, Settings},
    paths::Paths,
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

fn machine() -> Machine {
    Machine {
        memory_mib: 1981,
        processors: 2,
        address: [10, 0, 2, 15].into(),
        addresses: vec![[10, 0, 2, 15].into()],
        oom: OomControl::Full,
        cgroups: cgroup::Version::V2,
        shims: Some("/sk8s-shims"),
        passwd: "root:x:0:0::/:/bin/sh\nkine:x:303:303::/:\nkube-apiserver:x:300:300::/:\n".into(),
        resolver: "nameserver 10.0.2.3\n".into(),
    }
}

/// Compares with a file of `golden/`; with `BLESS` set, writes it instead.
fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        let owner = Account { uid: nix::unistd::getuid().as_raw(), gid: nix::unistd::getgid().as_raw() };
        crate::sys::fs::write(&path, text.as_bytes(), crate::sys::fs::Access::Public, owner).expect("written");
    }
    assert_eq!(text, crate::sys::fs::read_to_string(&path).expect("a golden file"), "{name}");
}

fn command_lines(role: Role) -> String {
    command_lines_of(CONFIG, role)
}

fn command_lines_of(config: &str, role: Role) -> String {
    let settings = Settings::validate(&Raw::parse(config).expect("well-formed"), "-").expect("valid");
    let (paths, machine) = (Paths::default(), machine());
    let plan = Plan { settings: &settings, paths: &paths, machine: &machine, pause: "localhost/sk8s/pause:3.10" };
    let mut text = String::new();
    for spec in components(&plan, role) {
        let Account { uid, gid } = spec.account;
        let needs: Vec<_> = spec.needs.iter().map(|n| format!("{} {:?}", n.component, n.stage)).collect();
        text.push_str(&format!("{}\n  user {uid}:{gid}\n", spec.id));
        text.push_str(&format!(
            "  memory.high {}M cpu.weight {}\n",
            spec.limits.memory_high_mib, spec.limits.cpu_weight
        ));
        text.push_str(&format!("  after {}\n", if needs.is_empty() { "nothing".into() } else { needs.join(", ") }));
        text.push_str(&format!("  until {:?}\n  stops in {:?} with {:?}\n", spec.probe, spec.grace, spec.scope));
        for (key, value) in &spec.env {
            text.push_str(&format!("  {key}={value}\n"));
        }
        text.push_str(&format!("  {}\n", spec.program.display()));
        for arg in &spec.args {
            text.push_str(&format!("    {arg}\n"));
        }
    }
    text
}

#[test]
fn a_single_nodes_command_lines_are_the_golden_ones() {
    golden("argv-single.txt", &command_lines(Role::Single));
}

#[test]
fn a_controllers_command_lines_are_the_golden_ones() {
    golden("argv-controller.txt", &command_lines(Role::Controller));
}

/// Only what the datastore changes: its own component and what kube-apiserver is told of it.
fn storage_lines(storage: &str) -> String {
    let text = command_lines_of(&format!("{CONFIG}  storage: {storage}\n"), Role::Controller);
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
    let plan = Plan { settings: &settings, paths: &paths, machine: &machine, pause: "localhost/sk8s/pause:3.10" };
    let text: String =
        files(&plan, Role::Single).iter().map(|file| format!("== {}\n{}", file.path.display(), file.text)).collect();
    golden("files-single.txt", &text);
}

#[test]
fn a_controller_runs_no_workloads() {
    let text = command_lines(Role::Controller);
    for absent in [ComponentId::Kubelet, ComponentId::Containerd, ComponentId::KubeProxy] {
        assert!(!text.contains(&format!("{absent}\n")), "{absent}");
    }
}

#[test]
fn a_large_machine_is_not_told_to_save() {
    let large = Machine { memory_mib: 16_384, ..machine() };
    let env = super::memory::environment(ComponentId::KubeApiserver, &large);
    assert_eq!(env, [("GOGC", "100".to_owned()), ("GOMEMLIMIT", "3276MiB".to_owned())]);
}
