//! The lists that configurations are checked against are those of upstream's programs:
//!
//! ```text
//! cargo xtask native --suite lists
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test of programs starts them, and says so when it fails"
)]

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use sk8s::config::{FeatureGates, Target};

fn help(program: &str, args: &[&str]) -> String {
    let folder = std::env::var_os("SK8S_COMPONENTS").unwrap_or_else(|| panic!("SK8S_COMPONENTS is not set"));
    let output = Command::new(PathBuf::from(folder).join(program)).args(args).output().expect("started");
    [output.stdout, output.stderr].iter().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

/// `--name` at the beginning of a line, with or without a short form before it.
fn flags(help: &str) -> BTreeSet<String> {
    let flag = |line: &str| {
        let line = line.trim_start();
        let (before, after) = line.split_once("--")?;
        let is_short = before.len() == 4 && before.starts_with('-') && before.ends_with(", ");
        let name = after.split([' ', '=', '[', ')', '\t', '"']).next().filter(|_| before.is_empty() || is_short)?;
        Some(name.trim_end_matches(':').to_owned()).filter(|name| !name.is_empty())
    };
    help.lines().filter_map(flag).collect()
}

fn known(target: Target) -> BTreeSet<String> {
    target.known().lines().map(ToOwned::to_owned).collect()
}

#[test]
#[ignore = "needs upstream's programs"]
fn flags_are_those_of_kubernetes() {
    for target in [Target::KubeApiserver, Target::KubeControllerManager, Target::KubeScheduler, Target::Kubelet] {
        assert_eq!(flags(&help("kube", &[target.as_str(), "--help"])), known(target), "{}", target.as_str());
    }
}

#[test]
#[ignore = "needs upstream's programs"]
fn flags_are_those_of_etcd() {
    assert_eq!(flags(&help("etcd", &["--help"])), known(Target::Etcd));
}

#[test]
#[ignore = "needs upstream's programs"]
fn features_are_those_of_kubernetes() {
    let help = help("kube", &["kube-apiserver", "--help"]);
    let known: BTreeSet<&str> = FeatureGates::known().collect();
    // `name=true|false (ALPHA - default=false)`, some after `kube:`; other flags have such words without the bracket.
    let printed: BTreeSet<&str> =
        help.split("=true|false (").filter_map(|before| before.split([' ', ':']).next_back()).collect();
    let printed: Vec<&str> = printed.into_iter().filter(|name| !name.ends_with('\n')).collect();
    assert!(printed.len() > 100, "{printed:?}");
    for name in printed {
        assert!(known.contains(name), "{name} is not known");
    }
    for name in known {
        let gate = format!("--feature-gates={name}=true");
        let text = self::help("kube", &["kube-scheduler", &gate, "--kubeconfig=/nonexistent"]);
        assert!(!text.contains("unrecognized feature gate"), "{name}");
    }
}
