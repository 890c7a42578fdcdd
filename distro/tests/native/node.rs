//! A node as its owner handles it: through the command line and the status socket.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use sk8s::status;
use skerry_formats::status::{Phase, Status};

use super::{eventually, lan::Space};

/// A node in a network namespace.
pub struct Node<'a> {
    pub folder: PathBuf,
    pub process: Child,
    space: &'a Space,
    args: Vec<String>,
}

impl<'a> Node<'a> {
    /// Starts `sk8s ARGS` with folders of its own.
    pub fn start(space: &'a Space, folder: &Path, args: &[&str]) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let process = spawn(space, folder, &args);
        Self { folder: folder.to_owned(), process, space, args }
    }

    /// Starts it again, after its process ended.
    pub fn again(&mut self) {
        self.process.wait().expect("ended");
        self.process = spawn(self.space, &self.folder, &self.args);
    }

    pub fn status(&self) -> Option<Status> {
        status::ask(&self.folder.join("run/status.sock")).ok()
    }

    /// What a verb of the command line answers.
    pub fn sk8s(&self, args: &[&str]) -> Output {
        let mut command = command(&self.folder);
        command.args(args).stdin(Stdio::null());
        self.space.within(move || command.output().expect("sk8s runs"))
    }

    /// What kubectl says, trimmed.
    pub fn said(&self, args: &[&str]) -> String {
        let out = self.sk8s(&[&["kubectl"], args].concat());
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// Puts objects into the cluster through the manifests folder, `BUSYBOX` standing for the image's reference.
    pub fn apply(&self, name: &str, text: &str) {
        let text = text.replace("BUSYBOX", &images()["busybox"]);
        std::fs::write(self.folder.join("data/manifests").join(name), text).expect("written");
    }

    pub fn wait_ready(&self) -> Status {
        eventually("the node is ready", || self.status().filter(|status| status.phase == Phase::Ready))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("== {}\n{}", self.folder.display(), tail(&self.log()));
        }
        kill(self.process.id(), "TERM");
        let _ = self.process.wait();
        end_pods(&self.folder);
        let mounted = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let here = self.folder.display().to_string();
        for mount in mounted.lines().filter_map(|line| line.split(' ').nth(1)).filter(|path| path.starts_with(&here)) {
            let _ = Command::new("umount").arg("-l").arg(mount).status();
        }
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sk8s"));
    for (flag, name) in [("--data-dir", "data"), ("--run-dir", "run"), ("--kubelet-dir", "kubelet")] {
        command.arg(flag).arg(folder.join(name));
    }
    for (flag, key) in [("--components", "SK8S_COMPONENTS"), ("--cni", "SK8S_CNI"), ("--images", "SK8S_IMAGES")] {
        command.arg(flag).arg(folder_of(key));
    }
    command
}

fn folder_of(key: &str) -> PathBuf {
    std::env::var_os(key).unwrap_or_else(|| panic!("{key} is not set")).into()
}

fn spawn(space: &Space, folder: &Path, args: &[String]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
    let mut command = command(folder);
    command.args(args).stderr(log).stdout(Stdio::null()).stdin(Stdio::null());
    // The supervisor's children end with the thread that made them, so the supervisor itself must not have such a bond.
    space.within(move || command.spawn().expect("sk8s starts"))
}

/// The shims of a node's pods outlive it; the tests' do not.
fn end_pods(folder: &Path) {
    let socket = folder.join("run/containerd.sock").display().to_string();
    for entry in std::fs::read_dir("/proc").expect("proc").flatten() {
        let words = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if words.contains("containerd-shim") && words.contains(&socket) {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            for child in children(pid) {
                kill(child, "KILL");
            }
            kill(pid, "KILL");
        }
    }
}

fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// The built-in images by name.
pub fn images() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder_of("SK8S_IMAGES").join("images.json")).expect("a list of images");
    sk8s::component::images(&text).expect("JSON")
}

pub fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status();
}

pub fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/stat")).exists()
}
