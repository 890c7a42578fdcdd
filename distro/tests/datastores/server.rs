//! Database servers of other people, as Debian has them.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::controller::{components, eventually};

/// A server that ends with the test.
pub struct Server {
    process: Child,
    /// What ends it without waiting for its clients.
    signal: &'static str,
    #[expect(dead_code, reason = "removed when dropped")]
    folder: tempfile::TempDir,
}

pub const PASSWORD: &str = "tulip?9!";
/// The same as it stands in a URL.
pub const ENCODED: &str = "tulip%3F9%21";

pub const POSTGRES: u16 = 15432;
pub const MARIADB: u16 = 13306;

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args([self.signal, &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

fn folder(owner: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    done(Command::new("chown").arg(owner).arg(folder.path()));
    folder
}

fn done(command: &mut Command) {
    let out = command.output().expect("runs");
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn quiet(command: &mut Command, log: &Path) -> Child {
    let log = std::fs::File::create(log).expect("a log");
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log).spawn().expect("starts")
}

fn answers(port: u16) {
    eventually("the server answers", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
}

/// A PostgreSQL whose user `kine` may make databases and whose user `guest` may not.
pub fn postgres() -> Server {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let bin: PathBuf = versions.map(|entry| entry.expect("a folder").path()).max().expect("a version").join("bin");
    let folder = folder("postgres");
    let data = folder.path().join("data");
    let as_postgres = |program: PathBuf| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program).current_dir("/");
        command
    };
    done(
        as_postgres(bin.join("initdb"))
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "-N", "-D"])
            .arg(&data),
    );
    let mut server = as_postgres(bin.join("postgres"));
    let port = POSTGRES.to_string();
    server.args(["-h", "127.0.0.1", "-p", &port, "-k"]).arg(&data).arg("-D").arg(&data);
    let process = quiet(&mut server, &folder.path().join("log"));
    let server = Server { process, signal: "-INT", folder };
    answers(POSTGRES);
    let sql = |text: &str| {
        let mut psql = as_postgres(bin.join("psql"));
        psql.args(["-p", &port, "-d", "postgres", "-c", text, "-h"]).arg(&data).output().expect("psql runs")
    };
    for (user, rights) in [("kine", "CREATEDB"), ("guest", "NOCREATEDB")] {
        eventually("a user is made", || {
            sql(&format!("CREATE ROLE {user} LOGIN {rights} PASSWORD '{PASSWORD}'")).status.success().then_some(())
        });
    }
    server
}

/// A MariaDB whose user `kine` may do anything and whose user `guest` nothing.
pub fn mariadb() -> Server {
    let folder = folder("mysql");
    let data = folder.path().join("data");
    done(
        Command::new("mariadb-install-db")
            .args(["--no-defaults", "--user=mysql", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", data.display())),
    );
    let socket = data.join("socket");
    let mut server = Command::new("/usr/sbin/mariadbd");
    server.args(["--no-defaults", "--user=mysql", "--bind-address=127.0.0.1"]);
    server.args([format!("--port={MARIADB}"), format!("--datadir={}", data.display())]);
    server.arg(format!("--socket={}", socket.display()));
    let process = quiet(&mut server, &folder.path().join("log"));
    let server = Server { process, signal: "-TERM", folder };
    answers(MARIADB);
    let users = format!(
        "CREATE USER kine@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO kine@'127.0.0.1';
         CREATE USER guest@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
    );
    done(Command::new("mariadb").arg("--no-defaults").args(["-u", "root", "-e", &users, "-S"]).arg(&socket));
    server
}

/// An etcd that is not ours, with the certificates in a folder or without any.
pub fn etcd(port: u16, keys: Option<&Path>) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let scheme = if keys.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://127.0.0.1:{port}");
    let mut server = Command::new(components().join("etcd"));
    server.arg("--data-dir").arg(folder.path().join("data"));
    server.args(["--listen-client-urls", &url, "--advertise-client-urls", &url]);
    server.args(["--listen-peer-urls", &format!("http://127.0.0.1:{}", port + 1)]);
    if let Some(keys) = keys {
        server.arg("--client-cert-auth=true");
        let files = [("--trusted-ca-file", "ca.crt"), ("--cert-file", "server.crt"), ("--key-file", "server.key")];
        for (flag, file) in files {
            server.arg(flag).arg(keys.join(file));
        }
    }
    let process = quiet(&mut server, &folder.path().join("log"));
    let server = Server { process, signal: "-TERM", folder };
    answers(port);
    server
}
