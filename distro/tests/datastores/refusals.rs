//! A wrong data source is refused at start, in words that name the thing, the cause and where to look, and no password.

use std::time::{Duration, Instant};

use super::{
    controller::{Controller, alone},
    server::{self, ENCODED, PASSWORD},
    stores::keys_of_a_stranger,
};

/// Starts with a wrong storage, and returns what is said.
fn said(storage: &str) -> String {
    let controller = Controller::new(storage);
    let start = Instant::now();
    let said = controller.refused(&["controller", "--config", &controller.config()]);
    assert!(start.elapsed() < Duration::from_secs(30), "told after {:?}", start.elapsed());
    assert!(!said.contains("tulip") && !said.contains("wrongword"), "{said}");
    let error = said.lines().find_map(|line| line.strip_prefix("error: "));
    error.unwrap_or_else(|| panic!("no error in `{said}`")).to_owned()
}

fn source(url: &str) -> String {
    said(&format!("{{kine: {{dataSource: '{url}'}}}}"))
}

const HEAD: &str = "the datastore cannot be used: ";

fn assert_says(found: &str, parts: &[&str]) {
    for part in parts {
        assert!(found.contains(part), "`{part}` is not in `{found}`");
    }
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn nobody_at_that_address() {
    let _alone = alone();
    let found = source(&format!("postgres://kine:{ENCODED}@127.0.0.1:15439/shed"));
    assert_says(&found, &[HEAD, "postgres at `127.0.0.1:15439`", "connection refused", "see that it runs"]);
    let found = source(&format!("mysql://kine:{PASSWORD}@tcp(127.0.0.1:13309)/shed"));
    assert_says(&found, &[HEAD, "mysql at `127.0.0.1:13309`", "connection refused", "see that it runs"]);
    // A documentation address (RFC 5737) in a namespace without neighbours: nobody answers at all.
    let found = source(&format!("postgres://kine:{ENCODED}@192.0.2.77/shed"));
    assert_says(&found, &[HEAD, "postgres at `192.0.2.77:5432`", "no connection"]);
    let found = said("{type: etcd, etcd: {externalCluster: {endpoints: ['http://127.0.0.1:12399']}}}");
    assert_says(&found, &[HEAD, "etcd at `http://127.0.0.1:12399`", "connection refused", "see that it runs"]);
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn sources_that_are_none() {
    let _alone = alone();
    assert_says(&source(&format!("mysql://kine:{PASSWORD}@127.0.0.1:13306/shed")), &["mysql", "tcp(HOST:PORT)"]);
    let controller = Controller::new(&format!("{{kine: {{dataSource: 'postgre://kine:{ENCODED}@127.0.0.1/shed'}}}}"));
    let out = controller.run(&["controller", "--config", &controller.config()]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert_says(&said, &["unknown scheme: `postgre`", "did you mean `postgres`?"]);
    assert!(!said.contains("tulip"), "{said}");
}

#[test]
#[ignore = "needs root, a network namespace, upstream's programs and PostgreSQL"]
fn postgres_with_a_wrong_password_or_without_rights() {
    let _alone = alone();
    let _server = server::postgres();
    let found = source("postgres://kine:wrongword@127.0.0.1:15432/shed");
    assert_says(&found, &[HEAD, "postgres at `127.0.0.1:15432`", "does not let user `kine` in", "password"]);
    let found = source(&format!("postgres://guest:{ENCODED}@127.0.0.1:15432/attic"));
    assert_says(&found, &[HEAD, "no database `attic`", "user `guest` may not create it", "create it there"]);
}

#[test]
#[ignore = "needs root, a network namespace, upstream's programs and MariaDB"]
fn mariadb_with_a_wrong_password_or_without_rights() {
    let _alone = alone();
    let _server = server::mariadb();
    let found = source("mysql://kine:wrongword@tcp(127.0.0.1:13306)/shed");
    assert_says(&found, &[HEAD, "mysql at `127.0.0.1:13306`", "does not let user `kine` in", "password"]);
    let found = source(&format!("mysql://guest:{PASSWORD}@tcp(127.0.0.1:13306)/attic"));
    assert_says(&found, &[HEAD, "no database `attic`", "user `guest`", "create it there"]);
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn an_external_etcd_that_does_not_know_us() {
    let _alone = alone();
    let (its, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    keys_of_a_stranger(its.path());
    keys_of_a_stranger(other.path());
    let _server = server::etcd(12379, Some(its.path()));
    let with = |authority: &std::path::Path, client: &std::path::Path| {
        let file = |folder: &std::path::Path, name: &str| folder.join(name).display().to_string();
        said(&format!(
            "{{type: etcd, etcd: {{externalCluster: {{endpoints: ['https://127.0.0.1:12379'], caFile: {}, clientCertFile: \
             {}, clientKeyFile: {}}}}}}}",
            file(authority, "ca.crt"),
            file(client, "client.crt"),
            file(client, "client.key")
        ))
    };
    assert_says(&with(other.path(), its.path()), &[HEAD, "etcd at `https://127.0.0.1:12379`", "unknown authority"]);
    assert_says(&with(its.path(), other.path()), &[HEAD, "does not let this client in"]);
}
