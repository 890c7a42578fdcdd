//! The tests of real nodes: builds `sk8s` in one file, has it lay out its components, and runs the tests with those.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{files, process};

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only tests with this in their names
    filter: Option<String>,
    /// Only those that every change has to pass, which take minutes
    #[arg(long, conflicts_with_all = ["filter", "suite"])]
    short: bool,
    /// Which tests: nodes and clusters, database servers, or lists compared with upstream's programs
    #[arg(long, default_value = "native", value_parser = ["native", "datastores", "lists"])]
    suite: String,
}

/// What `skerry sk8s --json` prints, as far as it matters here.
#[derive(Deserialize)]
struct Built {
    path: PathBuf,
}

/// Programs that machines made of namespaces need, and Debian's packages of them.
const NEEDS: [(&str, &str); 5] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("systemctl", "systemd"),
];

/// Further ones of the tests that log in to machines and become root there.
const LOGIN: [(&str, &str); 3] = [("ssh", "openssh-client"), ("sshd", "openssh-server"), ("sudo", "sudo")];

/// Further ones of the tests of datastores: a folder or a program of each server.
const SERVERS: [(&str, &str); 3] =
    [("/usr/lib/postgresql", "postgresql"), ("mariadbd", "mariadb-server"), ("setpriv", "util-linux")];

/// Debian's packages of iptables, with those that it needs and not every machine has.
const PROGRAMS: [&str; 6] =
    ["iptables", "libip4tc2", "libip6tc2", "libnetfilter-conntrack3", "libnfnetlink0", "libxtables12"];

/// One of each: a worker behind a router, refusals, several controllers, the life of a service, one file, a change of version.
const SHORT: [&str; 6] = [
    "join::a_worker_behind_a_router_joins_by_token_and_serves",
    "join::a_bad_token_admits_nobody_and_says_why",
    "controllers::three_controllers_lose_their_leader_and_no_write",
    "service::a_service_runs_survives_and_leaves_nothing",
    "onefile::a_node_runs_from_one_file_that_was_killed_half_way_before",
    "upgrade::another_file_takes_over_and_the_first_comes_back_while_pods_run_on",
];

/// Names what is missing before a test runs into it.
pub fn check_needs() -> Result<(), String> {
    check_programs(&NEEDS)
}

fn check_programs(needs: &[(&str, &str)]) -> Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let missing = |name: &str| !folders.iter().any(|folder| folder.join(name).exists());
    let packages: Vec<&str> = needs.iter().filter(|(name, _)| missing(name)).map(|(_, package)| *package).collect();
    if !packages.is_empty() {
        return Err(format!("programs are missing that the tests need: install {}", packages.join(", ")));
    }
    Ok(())
}

/// Runs them, one at a time: each has machines of its own, made of namespaces.
pub fn run(args: &Args) -> Result<(), String> {
    check_needs()?;
    let whole = args.suite == "native" && !args.short;
    if whole {
        check_programs(&LOGIN)?;
    }
    let servers = args.suite == "datastores";
    if servers {
        check_programs(&SERVERS)?;
    }
    let work = Path::new("target/native");
    let file = build(work, &[])?;
    let folder = components(&file, work)?;
    let mut env = [variables(&folder), vec![("SK8S_FILE", file.display().to_string())]].concat();
    if whole {
        let registry = unpacked(&work.join("registry"), &["docker-registry"])?.join("usr/bin/docker-registry");
        let openrc = unpacked(&work.join("openrc"), &["openrc", "librc1", "libeinfo1"])?;
        env.push(("SK8S_REGISTRY", registry.display().to_string()));
        let programs = unpacked(&work.join("programs"), &PROGRAMS)?.join("usr");
        env.push(("SK8S_OPENRC", openrc.display().to_string()));
        env.push(("SK8S_PROGRAMS", programs.display().to_string()));
    }
    let mut words = vec!["test", "--release", "--locked", "--workspace", "--test", &args.suite];
    // What has to be downloaded is, before there may be no network.
    process::show("cargo", &[&words[..], &["--no-run"]].concat(), &[])?;
    words.extend(["--", "--ignored", "--test-threads=1"]);
    words.extend(args.filter.as_deref());
    if args.short {
        words.extend(["--exact"].iter().chain(&SHORT));
    }
    if servers {
        let inside = ["--net", "sh", "-ec", ALONE, "cargo"];
        return process::show("unshare", &[&inside[..], &words].concat(), &env);
    }
    process::show("cargo", &words, &env)
}

/// The one file with everything and further components, made from what the checkout says now.
pub fn build(work: &Path, with: &[&str]) -> Result<PathBuf, String> {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    files::create_dir_all(work)?;
    let out = work.join("sk8s").display().to_string();
    let mut words = ["sk8s", "--arch", arch, "--out", &out, "--json"].map(OsStr::new).to_vec();
    words.extend(with.iter().flat_map(|name| ["--with", name]).map(OsStr::new));
    let built: Built = serde_json::from_str(&process::run("./skerry", &words)?.stdout)
        .map_err(|error| format!("`skerry sk8s --json`: {error}"))?;
    std::path::absolute(built.path).map_err(|error| format!("no current folder: {error}"))
}

/// What tells the tests where the components lie.
pub fn variables(folder: &Path) -> Vec<(&'static str, String)> {
    let below = |name: &str| folder.join(name).display().to_string();
    vec![("SK8S_COMPONENTS", below("bin")), ("SK8S_CNI", below("cni")), ("SK8S_IMAGES", below("images"))]
}

/// The folder that the program has laid out.
pub fn components(file: &Path, work: &Path) -> Result<PathBuf, String> {
    let data = std::path::absolute(work.join("data")).map_err(|error| format!("no current folder: {error}"))?;
    files::remove_all(&data)?;
    let place = format!("--data-dir={}", data.display());
    process::run(file, &[&place, "kubectl", "version", "--client"].map(OsStr::new))?;
    let laid = files::list(&data.join("components"));
    laid.into_iter()
        .find(|path| path.join("images.json").exists())
        .ok_or_else(|| format!("nothing was laid out in `{}`", data.display()))
}

/// Packages of Debian, unpacked below a folder and not installed: their services are not wanted here.
fn unpacked(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = std::path::absolute(folder).map_err(|error| format!("no current folder: {error}"))?;
    let root = folder.join("root");
    if !root.exists() {
        files::create_dir_all(&folder)?;
        let words = ["-ec", UNPACK].map(OsStr::new).into_iter().chain([folder.as_os_str()]);
        let words: Vec<&OsStr> = words.chain(packages.iter().map(OsStr::new)).collect();
        process::run("sh", &words)
            .map_err(|error| format!("Debian's packages {} could not be had: {error}", packages.join(", ")))?;
    }
    Ok(root)
}

const UNPACK: &str = r#"
cd "$0"
rm -rf ./*.deb new
apt-get download --quiet "$@"
for package in ./*.deb; do dpkg -x "$package" new; done
mv new root
"#;

/// A network with an address, a default route and nobody in it, so that a controller's ports are free.
const ALONE: &str = r#"
ip link set lo up
ip link add eth0 type veth peer name nobody
ip addr add 192.168.99.1/24 dev eth0
ip link set eth0 up
ip link set nobody up
ip route add default via 192.168.99.254
exec "$0" "$@"
"#;
