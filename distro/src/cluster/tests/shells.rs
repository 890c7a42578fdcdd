//! What is said to a host's shell, said to this machine's.

use std::{collections::BTreeSet, path::Path};

use crate::{
    cluster::{PROGRAM, Seen, TOKEN, render, script},
    sys::process,
};

fn shell(script: &str) -> String {
    process::output(Path::new("sh"), &["-c", script]).expect("a shell")
}

#[test]
fn a_file_that_did_not_arrive_whole_is_not_put_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sk8s.yaml");
    let script =
        script::write(&path.display().to_string(), "a: b\n").replace("/etc/sk8s", &folder.path().display().to_string());
    let feed = |text: &str| {
        let argv = ["sh", "-c", &script].map(str::to_owned);
        process::converse(&argv, process::Input::Text(text)).expect("a shell")
    };
    let left = || shell(&format!("ls -A '{0}'; cat '{0}'/*", folder.path().display()));
    for cut in ["", "a: ", "a: b"] {
        let said = feed(cut);
        assert_eq!((said.code, said.err.as_str()), (Some(1), "it arrived damaged, or the connection broke\n"));
        assert_eq!(shell(&format!("ls -A '{}'", folder.path().display())), "", "nothing is left of it");
    }
    assert_eq!(feed("a: b\n").code, Some(0));
    assert_eq!(left(), "sk8s.yaml\na: b\n");
    feed("a:");
    assert_eq!(left(), "sk8s.yaml\na: b\n", "what was there stays");
}

#[test]
fn the_words_of_a_running_node_are_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("sk8s");
    // A shell of that name whose script is the verb.
    shell(&format!(
        "cd '{}'; cp \"$(readlink -f /proc/$$/exe)\" sk8s; echo 'echo begun; read line' > worker",
        folder.path().display()
    ));
    let command = format!(
        "cd '{}'; exec '{}' worker --node-name=barn '--labels=a=b c'",
        folder.path().display(),
        program.display()
    );
    let mut node = process::Session::start(&["sh", "-c", &command].map(str::to_owned)).expect("started");
    assert_eq!(node.line().as_deref(), Some("begun"));
    let look = || Seen::read(&shell(&script::observe().replace(PROGRAM, &program.display().to_string())));
    let words: BTreeSet<String> = ["--node-name=barn", "--labels=a=b c"].map(str::to_owned).into();
    let seen = look();
    assert_eq!((seen.process, seen.stale), (Some(words.clone()), false));
    shell(&format!("cp '{0}' '{0}.new'; mv '{0}.new' '{0}'", program.display()));
    let seen = look();
    assert_eq!((seen.process, seen.stale), (Some(words), true));
    drop(node);
    assert_eq!(look().process, None);
}

#[test]
fn a_reset_without_a_program_is_a_failure_unless_there_is_nothing_to_remove() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| format!("{}{path}", folder.path().display());
    let script = script::wipe(render::MARK);
    let script = ["/usr/local/bin", "/var/lib/sk8s", "/etc/sk8s"]
        .iter()
        .fold(script, |text, path| text.replace(path, &at(path)));
    let wipe =
        || process::converse(&["sh", "-c", &script].map(str::to_owned), process::Input::Nothing).expect("a shell");
    assert_eq!(wipe().code, Some(0), "bare");
    shell(&format!("mkdir -p '{}' '{}'", at("/var/lib/sk8s"), at("/usr/local/bin")));
    let said = wipe();
    assert_eq!(said.code, Some(1));
    assert!(said.err.ends_with("bin/sk8s to remove what it has made\n"), "{}", said.err);
    let resets = "printf '#!/bin/sh\\n[ $1 = stop ] || rm -r %s\\n'";
    shell(&format!("{resets} '{}' > '{1}'; chmod 755 '{1}'", at("/var/lib/sk8s"), at("/usr/local/bin/sk8s")));
    assert_eq!(wipe().code, Some(0));
    assert_eq!(shell(&format!("find '{}' -name '*sk8s*'", folder.path().display())), "");
}

#[test]
fn an_etcd_that_does_not_answer_is_not_an_etcd_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| format!("{}{path}", folder.path().display());
    let script =
        ["/usr/local/bin", "/var/lib/sk8s"].iter().fold(script::company(), |text, path| text.replace(path, &at(path)));
    let ask =
        || process::converse(&["sh", "-c", &script].map(str::to_owned), process::Input::Nothing).expect("a shell");
    let program = at("/usr/local/bin/sk8s");
    shell(&format!(
        "mkdir -p '{}'; printf '#!/bin/sh\\n[ $1 = kubectl ] || {{ echo error: no leader >&2; exit 1; }}; echo node tower\\n' > '{program}'; chmod 755 '{program}'",
        at("/usr/local/bin")
    ));
    assert_eq!((ask().code, ask().out.as_str()), (Some(0), "node tower\n"), "SQLite has no members");
    shell(&format!("mkdir -p '{}'", at("/var/lib/sk8s/etcd/member")));
    assert_eq!((ask().code, ask().err.as_str()), (Some(1), "error: no leader\n"));
}

#[test]
fn a_host_that_did_not_join_loses_its_token_and_one_that_did_keeps_what_its_service_reads() {
    for (joined, left) in [("", false), ("/var/lib/sk8s/membership.json", true), ("/var/lib/sk8s/pki/ca.crt", true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| format!("{}{path}", folder.path().display());
        shell(&format!("mkdir -p '{}' '{}'; touch '{}'", at("/etc/sk8s"), at("/var/lib/sk8s/pki"), at(TOKEN)));
        shell(&format!("[ -d '{0}' ] || touch '{0}'", at(joined)));
        let script = script::take_token_back();
        shell(&["/etc/sk8s", "/var/lib/sk8s"].iter().fold(script, |text, path| text.replace(path, &at(path))));
        assert_eq!(Path::new(&at(TOKEN)).exists(), left, "{joined}");
    }
}
