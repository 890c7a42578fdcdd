//! `sk8s config` as a person types it: what is printed where, and with which exit code.

#![expect(clippy::disallowed_methods, clippy::expect_used, reason = "a test of a program starts it")]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// Exit code, standard output, standard error.
fn sk8s(args: &[&str], input: &str) -> (i32, String, String) {
    with_editor("false", args, input)
}

fn with_editor(editor: &str, args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sk8s"));
    command
        .env("EDITOR", editor)
        .arg("config")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("read");
    let output = child.wait_with_output().expect("ended");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

#[test]
fn what_create_prints_is_valid() {
    let (code, default, _) = sk8s(&["create"], "");
    assert_eq!(code, 0);
    assert_eq!(sk8s(&["validate", "-c", "-"], &default), (0, String::new(), String::new()));
}

#[test]
fn problems_end_with_exit_code_2() {
    let text = "spec:\n  api:\n    prot: 1\n    port: 80\n";
    let (code, out, err) = sk8s(&["validate", "-c", "-"], text);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("line 3: spec.api: unknown field `prot`"), "{err}");
    assert!(err.ends_with("error: `-`: 2 problems\n"), "{err}");
    let (code, out, _) = sk8s(&["validate", "-c", "-", "-o", "json"], text);
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, value["problems"].as_array().map(Vec::len)), (2, Some(2)));
}

#[test]
fn what_import_prints_is_valid_and_losses_are_told() {
    let text = include_str!("../golden/import/default.k0s.yaml");
    let (code, made, remarks) = sk8s(&["import", "-"], text);
    assert_eq!(code, 0);
    assert!(remarks.starts_with("lost: spec.network.provider: "), "{remarks}");
    assert_eq!(sk8s(&["validate", "-c", "-"], &made).0, 0);
    let (code, _, err) = sk8s(&["import", "-", "--strict"], text);
    assert_eq!(code, 2);
    assert!(err.ends_with("error: `-`: 1 of its keys have no equivalent\n"), "{err}");
}

#[test]
fn a_file_that_is_not_there_ends_with_exit_code_1() {
    let (code, _, err) = sk8s(&["validate", "-c", "/nonexistent/sk8s.yaml"], "");
    assert_eq!(code, 1);
    assert!(err.starts_with("error: could not read `/nonexistent/sk8s.yaml`"), "{err}");
}

#[test]
fn an_edited_file_takes_its_place_only_if_it_is_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sk8s.yaml");
    let (file, copy) = (path.to_str().expect("text"), folder.path().join("sk8s.yaml.edited"));
    std::fs::write(&path, "spec:\n  api:\n    port: 6443\n").expect("written");
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("read");
    let edit = ["edit", "-c", file];

    assert_eq!(with_editor("true", &edit, ""), (0, format!("`{file}`: nothing was changed\n"), String::new()));
    let (code, _, err) = with_editor("false", &edit, "");
    assert_eq!(code, 1);
    assert!(err.contains("hint: name an editor: `EDITOR=vi sk8s config edit`"), "{err}");
    std::fs::remove_file(&copy).expect("a copy that nobody edited");

    let (code, out, err) = with_editor("sed -i s/port/prot/", &edit, "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("line 3: spec.api: unknown field `prot`"), "{err}");
    assert!(err.contains(&format!("error: not replaced: 1 problem in `{}`", copy.display())), "{err}");
    assert!(read(&path).contains("port: 6443") && read(&copy).contains("prot: 6443"));

    let (code, out, err) = with_editor("sed -i 's/prot: 6443/sans: [b.example.org]/'", &edit, "");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, format!("`{file}`: written; all of it is read at start: `sk8s stop`, `sk8s start`\n"));
    assert_eq!(read(&path), "spec:\n  api:\n    sans: [b.example.org]\n");
    assert!(!copy.exists());
}

#[test]
fn the_standing_of_a_file_is_told() {
    let (code, out, _) =
        sk8s(&["status", "-c", "/nonexistent/sk8s.yaml", "-o", "json", "--run-dir", "/nonexistent"], "");
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 0);
    assert_eq!(
        value,
        serde_json::json!({"file": "/nonexistent/sk8s.yaml", "exists": false, "problems": [], "node": "stopped"})
    );
}
