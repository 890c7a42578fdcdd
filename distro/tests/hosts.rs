//! `sk8s cluster` as a person types it, as far as no host is reached.

#![expect(clippy::disallowed_methods, clippy::expect_used, reason = "a test of a program starts it")]

use std::{path::Path, process::Command};

/// Exit code, standard output, standard error, with the folder called `DIR`.
fn sk8s(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sk8s")).arg("cluster").args(args).current_dir(folder).output();
    let output = output.expect("started");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8").replace(&folder.display().to_string(), "DIR");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

const HOSTS: &str = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  hosts:\n  \
                     - {name: tower, role: controller, addresses: [192.0.2.1]}\n  - {name: barn, role: worker}\n";

#[test]
fn what_is_refused_before_a_host_is_reached_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("hosts.yaml"), HOSTS).expect("written");
    std::fs::write(folder.path().join("bad.yaml"), HOSTS.replace("role: worker", "rolle: worker")).expect("written");
    let refused = |args: &[&str]| {
        let (code, out, err) = sk8s(folder.path(), args);
        assert_eq!(out, "");
        (code, err)
    };
    assert_eq!(refused(&["reset"]).0, 2, "nothing is reset without its file");
    assert_eq!(
        refused(&["reset", "--hosts", "hosts.yaml", "--host", "bran"]),
        (2, "error: the file has no host `bran`; did you mean `barn`?\n".to_owned())
    );
    assert_eq!(
        refused(&["reset", "--hosts", "hosts.yaml"]),
        (
            2,
            "error: the file does not say how to reach `tower`, `barn`\n  hint: add `ssh: {address: ADDRESS, user: USER}` to \
             each, or `localhost: true` to this machine\n"
                .to_owned()
        )
    );
    let (code, err) = refused(&["apply", "--hosts", "bad.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("bad.yaml, line 6: `spec.hosts[1].role`: missing"), "{err}");
    let (code, err) = refused(&["apply", "--hosts", "hosts.yaml"]);
    assert_eq!(code, 1);
    assert!(err.contains("carries no components: a host could not run it"), "{err}");
    assert!(err.contains("hint: use the program that `skerry sk8s` makes"), "{err}");
}

#[test]
fn a_k0sctl_file_becomes_a_file_of_hosts() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "apiVersion: k0sctl.k0sproject.io/v1beta1\nspec:\n  hosts:\n  - role: single\n    hooks: {}\n    \
                ssh: {address: 192.0.2.1, keyPath: ~/.ssh/id_rsa}\n";
    std::fs::write(folder.path().join("k0sctl.yaml"), text).expect("written");
    let (code, out, err) = sk8s(folder.path(), &["import", "k0sctl.yaml"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("    ssh:\n      address: 192.0.2.1\n      user: root\n      keyPath: ~/.ssh/id_rsa\n"),
        "{out}"
    );
    assert!(err.starts_with("k0sctl.yaml: `spec.hosts[0].hooks`: not carried over: "), "{err}");
}
