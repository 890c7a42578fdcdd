//! How machines are judged, to the letter.

use std::net::Ipv4Addr;

use super::{Check, FEATURES, Presence, Purpose, Snapshot, Verdict, judge, text};
use crate::{
    golden,
    pki::UnixTime,
    sys::{cgroup::Version, fs::Space},
};

/// A machine on which all is well.
fn good() -> Snapshot {
    let controllers = ["cpuset", "cpu", "io", "memory", "pids"];
    Snapshot {
        kernel: "6.12.48+deb13-amd64".into(),
        architecture: "x86_64".into(),
        memory_mib: 1981,
        swap_mib: 0,
        disk: Some(Space { total_mib: 40_000, free_mib: 30_000 }),
        cgroups: Version::V2,
        controllers: controllers.map(ToOwned::to_owned).into(),
        features: FEATURES.iter().map(|feature| (feature.module, Presence::Module)).collect(),
        programs: vec!["nft", "modprobe", "mount", "umount"],
        spare: Vec::new(),
        now: UnixTime(1_795_000_000),
        ports: vec![22],
        running: false,
        localhost: vec![Ipv4Addr::LOCALHOST.into()],
        host_name: "barn".into(),
        address: Some(Ipv4Addr::new(192, 0, 2, 7).into()),
        watchers: Some(8192),
    }
}

/// One on which little is.
fn bad() -> Snapshot {
    let mut bad = Snapshot {
        kernel: "4.19.0-21-arm".into(),
        architecture: "arm".into(),
        memory_mib: 430,
        swap_mib: 100,
        disk: Some(Space { total_mib: 4000, free_mib: 400 }),
        cgroups: Version::V1,
        controllers: vec!["cpu".into(), "pids".into()],
        programs: vec!["mount"],
        now: UnixTime(3600),
        ports: vec![22, 6443, 10250],
        localhost: Vec::new(),
        host_name: "My_Host".into(),
        address: None,
        watchers: Some(128),
        ..good()
    };
    bad.features.insert("br_netfilter", Presence::Missing);
    bad.features.insert("vxlan", Presence::Missing);
    bad.features.insert("nft_numgen", Presence::Unknown);
    bad
}

#[test]
fn the_text_is_the_golden_one() {
    let all = [
        ("good", good(), Purpose::Both),
        ("bad", bad(), Purpose::Both),
        ("bad controller", bad(), Purpose::Controller),
    ];
    let text: String =
        all.iter().map(|(name, seen, purpose)| format!("== {name}\n{}", text(&judge(seen, *purpose)))).collect();
    golden::check("sysinfo.txt", &text);
}

#[test]
fn a_check_advises_unless_all_is_well() {
    for purpose in [Purpose::Controller, Purpose::Worker, Purpose::Both] {
        assert!(judge(&good(), purpose).iter().all(|check| check.verdict == Verdict::Pass), "{purpose:?}");
        for Check { name, verdict, advice, .. } in judge(&bad(), purpose) {
            assert_eq!(advice.is_some(), verdict != Verdict::Pass, "{name}");
        }
    }
}

#[test]
fn ports_that_sk8s_itself_has_are_no_failure() {
    let verdict =
        |seen: &Snapshot| judge(seen, Purpose::Both).into_iter().find(|check| check.name == "ports").map(|c| c.verdict);
    assert_eq!(verdict(&bad()), Some(Verdict::Fail));
    assert_eq!(verdict(&Snapshot { running: true, ..bad() }), Some(Verdict::Pass));
}

#[test]
fn a_port_that_not_every_cluster_needs_is_no_failure() {
    let verdict = |ports: &[u16], purpose| {
        let seen = Snapshot { ports: ports.to_vec(), ..good() };
        judge(&seen, purpose).into_iter().find(|check| check.name == "ports").map(|c| (c.verdict, c.found))
    };
    let warned = |text: &str| Some((Verdict::Warn, text.to_owned()));
    assert_eq!(verdict(&[2379, 10261], Purpose::Controller), warned("in use: 2379"));
    assert_eq!(verdict(&[2379, 10261], Purpose::Worker), warned("in use: 10261"));
    let both = verdict(&[2381, 10250], Purpose::Both);
    assert_eq!(both, Some((Verdict::Fail, "in use: 10250, 2381".to_owned())));
}

#[test]
fn a_controller_asks_nothing_of_the_pod_network() {
    let names: Vec<&str> = judge(&bad(), Purpose::Controller).iter().map(|check| check.name).collect();
    assert!(!names.contains(&"nft") && !names.contains(&"br_netfilter"), "{names:?}");
}

#[test]
fn a_program_that_sk8s_brings_along_is_not_missed() {
    let check = |spare: &[&'static str]| {
        let seen = Snapshot { programs: vec!["modprobe", "mount", "umount"], spare: spare.to_vec(), ..good() };
        judge(&seen, Purpose::Worker).into_iter().find(|check| check.name == "nft").map(|c| (c.verdict, c.found))
    };
    assert_eq!(check(&[]), Some((Verdict::Fail, "missing".to_owned())));
    assert_eq!(check(&["nft"]), Some((Verdict::Pass, "missing, and sk8s brings its own".to_owned())));
}
