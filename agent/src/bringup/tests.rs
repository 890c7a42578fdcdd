//! Plans, as text.

use std::net::IpAddr;

use skerry_formats::seed::{Header, Source, read};

use super::*;
use crate::intent::Intent;

const SEED: &str = include_str!("../../golden/plan-seed.yaml");

/// As `skerry cluster new` writes them, but for the keys.
const CONTROLLER: &str = include_str!("../../golden/plan-controller-seed.yaml");
const FURTHER: &str = include_str!("../../golden/plan-further-seed.yaml");
const WORKER: &str = include_str!("../../golden/plan-worker-seed.yaml");

fn intent(text: &str) -> Intent {
    let layer = read(&Source::new("seed"), text.as_bytes(), Header::Optional).unwrap();
    Intent::from_seed(&layer.validate().unwrap(), &"skerry-01234567".parse().unwrap()).unwrap()
}

fn with_address() -> Observed {
    Observed { addresses: vec![IpAddr::from([10, 0, 2, 15])], ..Observed::default() }
}

fn text(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("{step}\n")).collect()
}

/// The observation after all steps were done.
fn after(mut observed: Observed, steps: &[Step]) -> Observed {
    for step in steps {
        match step {
            Step::Name(name) => observed.name = name.to_string(),
            Step::Write(file) => {
                observed.files.insert(file.path.clone(), FileState { bytes: file.bytes.clone(), mode: file.mode });
            }
            Step::Restart(Service::Kubernetes) => observed.kubernetes = Unit::Running,
            Step::ReadUnits | Step::Restart(_) => {}
        }
    }
    observed
}

#[test]
fn the_plan_of_a_first_boot_is_golden() {
    let steps = plan(&intent(SEED), &with_address()).unwrap();
    let said = text(&steps);
    assert!(said == include_str!("../../golden/plan-first-boot.txt"), "golden/plan-first-boot.txt should be:\n{said}");
}

#[test]
fn what_sk8s_reads_is_golden() {
    let mut said = String::new();
    for step in plan(&intent(SEED), &with_address()).unwrap() {
        if let Step::Write(file) = step
            && (file.path.ends_with("sk8s.yaml") || file.path.ends_with("10-role.conf"))
        {
            said += &format!("== {}\n{}", file.path.display(), String::from_utf8(file.bytes).unwrap());
        }
    }
    assert!(said == include_str!("../../golden/sk8s-files.txt"), "golden/sk8s-files.txt should be:\n{said}");
}

/// What sk8s is started with: every file it is handed, with its mode, and what it holds.
fn handed(seed: &str) -> String {
    let ours = |file: &&File| ["/run/skerry", "/run/systemd/system"].iter().any(|folder| file.path.starts_with(folder));
    let steps = plan(&intent(seed), &with_address()).unwrap();
    let files = steps.iter().filter_map(|step| if let Step::Write(file) = step { Some(file) } else { None });
    let text = |file: &File| {
        let text = String::from_utf8(file.bytes.clone()).unwrap();
        format!("== {} {:04o}\n{text}", file.path.display(), file.mode)
    };
    files.filter(ours).map(text).collect()
}

#[test]
fn what_controllers_and_a_worker_are_handed_is_golden() {
    for (seed, golden) in [
        (CONTROLLER, include_str!("../../golden/sk8s-controller.txt")),
        (FURTHER, include_str!("../../golden/sk8s-further.txt")),
        (WORKER, include_str!("../../golden/sk8s-worker.txt")),
    ] {
        let said = handed(seed);
        assert!(said == golden, "the golden file should be:\n{said}");
    }
}

#[test]
fn a_controller_whose_address_is_chosen_has_its_member_of_etcd_there() {
    let said = handed(&FURTHER.replace("  api:\n", "  node-address: 10.0.0.0/24\n  api:\n"));
    assert!(said.contains("  api:\n    address: 192.168.1.11\n"), "{said}");
    assert!(said.contains("  node:\n    name: mill\n    address: 10.0.0.0/24\n"), "{said}");
    assert!(!said.contains("peerAddress"), "{said}");
}

#[test]
fn what_a_seed_passes_on_reaches_sk8s_and_is_for_root_alone() {
    let said = handed("skerry: {role: single, pod-cidr: 10.42.0.0/16, config: {network: {provider: custom}}}\n");
    assert!(said.starts_with("== /run/skerry/sk8s.yaml 0600\n"), "{said}");
    assert!(said.contains("  network:\n    podCIDR: 10.42.0.0/16\n    provider: custom\n"), "{said}");
}

#[test]
fn a_controller_that_works_says_which_workloads() {
    let line = |more: &str| {
        let said = handed(&format!("skerry: {{role: controller{more}}}\n"));
        said.lines().rfind(|line| line.starts_with("ExecStart=/")).unwrap_or_default().to_owned()
    };
    let end = "--config /run/skerry/sk8s.yaml";
    assert_eq!(line(""), format!("ExecStart=/usr/bin/sk8s controller {end}"));
    let all = line(", workloads: all");
    assert_eq!(all, format!("ExecStart=/usr/bin/sk8s controller --enable-worker --no-taints {end}"));
}

#[test]
fn who_joins_gets_no_key_of_the_cluster_and_is_started_with_its_token() {
    for seed in [FURTHER, WORKER] {
        let steps = plan(&intent(seed), &with_address()).unwrap();
        let said = text(&steps);
        assert!(!said.contains("/var/lib/sk8s"), "{said}");
        assert!(said.contains("write `/run/skerry/join-token` (") && said.contains("bytes, 0600)"), "{said}");
        assert_eq!(steps.last(), Some(&Step::Restart(Service::Kubernetes)));
    }
}

#[test]
fn a_controller_with_keys_and_a_token_gets_both() {
    let token = FURTHER.lines().find(|line| line.starts_with("  token: ")).unwrap();
    let founder = CONTROLLER.replace("  workloads: tolerating\n", &format!("  storage: etcd\n{token}\n"));
    let said = text(&plan(&intent(&founder), &with_address()).unwrap());
    assert!(said.contains("`/var/lib/sk8s/pki/ca.key`") && said.contains("`/run/skerry/join-token`"), "{said}");
    let line = "ExecStart=/usr/bin/sk8s controller --tokens /run/skerry/tokens.json --token-file /run/skerry/join-token \
                --config /run/skerry/sk8s.yaml\n";
    assert!(handed(&founder).ends_with(line), "{}", handed(&founder));
}

#[test]
fn a_converged_node_has_nothing_to_do() {
    for seed in [SEED, "skerry: {role: single}\n", "hostname: a\n", CONTROLLER, FURTHER, WORKER] {
        let intent = intent(seed);
        let steps = plan(&intent, &with_address()).unwrap();
        assert_eq!(text(&plan(&intent, &after(with_address(), &steps)).unwrap()), "", "{seed}");
    }
}

#[test]
fn a_node_without_a_role_gets_its_name_and_no_kubernetes() {
    let steps = plan(&intent("hostname: late\n"), &with_address()).unwrap();
    assert_eq!(text(&steps), "write `/etc/hostname` (5 bytes, 0644)\nname the node `late`\n");
}

#[test]
fn kubernetes_waits_for_an_address() {
    let intent = intent("skerry: {role: single}\n");
    let steps = plan(&intent, &Observed::default()).unwrap();
    assert!(!steps.contains(&Step::Restart(Service::Kubernetes)));
    let observed = Observed { addresses: with_address().addresses, ..after(Observed::default(), &steps) };
    assert_eq!(plan(&intent, &observed).unwrap(), [Step::Restart(Service::Kubernetes)]);
}

#[test]
fn another_clusters_keys_are_never_overwritten() {
    let mut observed = with_address();
    let ca = std::path::PathBuf::from("/var/lib/sk8s/pki/ca.crt");
    observed.files.insert(ca.clone(), FileState { bytes: b"other".to_vec(), mode: 0o644 });
    assert_eq!(plan(&intent(SEED), &observed), Err(Conflict { path: ca }));
}

#[test]
fn appending_happens_once() {
    let intent = intent("write_files: [{path: /etc/motd, content: \"b\\n\", append: true}]\n");
    let mut observed = with_address();
    observed.files.insert("/etc/motd".into(), FileState { bytes: b"a\n".to_vec(), mode: 0o600 });
    let steps = plan(&intent, &observed).unwrap();
    let Some(Step::Write(file)) = steps.iter().find(|step| step.to_string().contains("motd")) else { panic!("none") };
    assert_eq!((file.bytes.as_slice(), file.mode), (&b"a\nb\n"[..], 0o600));
    assert_eq!(text(&plan(&intent, &after(observed, &steps)).unwrap()), "");
}

#[test]
fn steps_do_not_show_keys() {
    let steps = plan(&intent(SEED), &with_address()).unwrap();
    assert!(!format!("{steps:?}").contains("PRIVATE"));
}
