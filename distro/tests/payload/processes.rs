//! The real program with files behind it: what each verb lays out, and what is left of a start that ends half-way.

use std::fs;

use skerry_formats::payload::Mode;

use crate::{
    fixture::{Bench, CLIENTS, FEW, Said, carrying, here, noise, sk8s},
    golden,
};

fn one_file() -> Vec<u8> {
    carrying(&sk8s(), here(), &FEW)
}

/// kubectl, and a file that a limit of 64 blocks does not let through.
fn large() -> Vec<u8> {
    carrying(&sk8s(), here(), &[("bin/clients", Mode::Program, CLIENTS), ("bin/large", Mode::Data, &noise(300_000))])
}

fn kubectl(bench: &Bench, program: &[u8], before: &str) -> Said {
    let program = bench.program("sk8s", program);
    bench.said(bench.command(&program, before).args(["kubectl", "get", "pods", "--all"]))
}

#[test]
fn kubectl_runs_from_the_data_folder() {
    let bench = Bench::new();
    for _ in 0..2 {
        let said = kubectl(&bench, &one_file(), "");
        assert_eq!(bench.shelf().len(), 1, "{said:?}");
        assert_eq!(said.out, format!("DIR/data/components/{}/bin/clients kubectl get pods --all\n", bench.shelf()[0]));
        assert_eq!(said.code, Some(0));
    }
}

#[test]
fn a_folder_that_is_named_comes_first() {
    let bench = Bench::new();
    let program = bench.program("sk8s", &one_file());
    fs::create_dir(bench.folder().join("own")).expect("made");
    bench.program("own/clients", CLIENTS);
    let said = bench.run(&program, &["--components", "own", "kubectl", "version"]);
    assert_eq!(said.out, "own/clients kubectl version\n", "{said:?}");
    assert!(bench.shelf().is_empty());
}

#[test]
fn verbs_that_need_no_component_lay_out_none() {
    let bench = Bench::new();
    let program = bench.program("sk8s", &one_file());
    let version = bench.run(&program, &["version"]);
    assert_eq!((version.out.as_str(), version.code), ("v1.36.3+sk8s.1\n", Some(0)));
    let all = bench.run(&program, &["version", "--all"]);
    assert_eq!(all.out, "sk8s        v1.36.3+sk8s.1\nkine        0.16.4\nkubernetes  1.36.3\n");
    let json = bench.run(&program, &["version", "--all", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["components"]["kubernetes"], "1.36.3");
    assert_eq!(bench.run(&program, &["status"]).code, Some(1));
    assert!(bench.shelf().is_empty());
}

#[test]
fn versions_beside_the_components_are_read() {
    let bench = Bench::new();
    let program = bench.program("sk8s", &one_file());
    fs::create_dir(bench.folder().join("own")).expect("made");
    fs::write(bench.folder().join("own/versions.json"), br#"{"runc": "1.5.2"}"#).expect("written");
    let said = bench.run(&program, &["--components", "own", "version", "--all"]);
    assert_eq!(said.out, "sk8s  v1.36.3+sk8s.1\nrunc  1.5.2\n", "{said:?}");
}

#[test]
fn without_components_the_way_out_is_named() {
    let bench = Bench::new();
    let plain = bench.program("sk8s", &sk8s());
    let mut text = String::new();
    for args in [
        &["kubectl", "version"][..],
        &["version", "--all"],
        &["--components", "none", "version", "--all"],
        &["--components", "none", "kubectl", "version"],
    ] {
        let said = bench.run(&plain, args);
        assert_eq!(said.code, Some(1), "{said:?}");
        text.push_str(&format!("# {}\n{}", args.join(" "), said.error()));
    }
    golden("payload-none.txt", &text);
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let bench = Bench::new();
    // What a process may write is as short as what a disk has left, and the answer comes at the same place.
    let said = kubectl(&bench, &large(), "trap '' XFSZ; ulimit -f 64");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(bench.shelf().is_empty(), "{:?}", bench.shelf());
    let digest = said.error().split_once("components/").expect("a path").1[..64].to_owned();
    let pid = said.error().split_once(".part-").expect("a draft").1.split('/').next().expect("a number").to_owned();
    golden("payload-full.txt", &said.error().replace(&digest, "DIGEST").replace(&format!("-{pid}"), "-PID"));
    assert_eq!(kubectl(&bench, &large(), "").code, Some(0));
}

#[test]
fn a_start_that_was_killed_is_made_good_by_the_next() {
    let bench = Bench::new();
    // Without the trap the signal ends the process in the middle of the large file.
    let said = kubectl(&bench, &large(), "ulimit -c 0; ulimit -f 64");
    assert_eq!(said.code, None, "{said:?}");
    let left = bench.shelf();
    assert!(left.len() == 1 && left[0].contains(".part-"), "{left:?}");
    let half = fs::metadata(bench.data().join("components").join(&left[0]).join("bin/large")).expect("begun").len();
    assert!((1..300_000).contains(&half), "{half}");
    let said = kubectl(&bench, &large(), "");
    assert_eq!((said.code, bench.shelf().len()), (Some(0), 1), "{said:?}");
    assert!(!bench.shelf()[0].contains(".part-"));
}

#[test]
fn many_programs_at_once_find_one_folder() {
    let bench = Bench::new();
    let program = bench.program("sk8s", &large());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(bench.run(&program, &["kubectl", "version"]).code, Some(0)));
        }
    });
    assert_eq!(bench.shelf().len(), 1);
}

#[test]
fn a_program_that_was_cut_short_says_so() {
    let bench = Bench::new();
    let whole = one_file();
    let said = kubectl(&bench, &whole[..whole.len() - 10], "");
    assert_eq!(said.code, Some(1));
    let first = said.error().lines().next().unwrap_or_default();
    assert_eq!(first, "error: `DIR/sk8s` is damaged", "{said:?}");
    assert!(said.error().contains("hint: get the file again"), "{said:?}");
}
