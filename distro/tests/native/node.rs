//! A node as its owner handles it: through the command line.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Child, Output},
};

use skerry_formats::status::{Phase, Status};

use super::{eventually, machine::Machine};

/// Where a node's machine keeps its log.
const LOG: &str = "/var/log/sk8s.log";

/// A node on a machine of its own.
pub struct Node {
    pub machine: Machine,
    process: Child,
    program: Vec<String>,
    words: Vec<String>,
}

impl Node {
    /// Starts `sk8s WORDS`.
    pub fn start(machine: Machine, words: &[&str]) -> Self {
        Self::of(machine, ours(), words)
    }

    /// Starts a file that carries all that it needs.
    pub fn start_file(machine: Machine, file: &str, words: &[&str]) -> Self {
        Self::of(machine, vec![file.to_owned()], words)
    }

    fn of(machine: Machine, program: Vec<String>, words: &[&str]) -> Self {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let process = begin(&machine, &[&program[..], &words].concat());
        Self { machine, process, program, words }
    }

    /// Kills the supervisor, waits until all its components are gone, and starts it again.
    pub fn kill_and_start(&mut self) {
        let components: Vec<u32> = self.wait_ready().components.iter().filter_map(|component| component.pid).collect();
        assert!(!components.is_empty());
        self.kill("sk8s");
        eventually("a killed supervisor leaves no component", || {
            let alive = |pid: &u32| self.machine.run(&["test", "-e", &format!("/proc/{pid}/stat")]).status.success();
            (!components.iter().any(alive)).then_some(())
        });
        self.start_again();
    }

    /// Starts a supervisor that has ended with the words that it was started with.
    pub fn start_again(&mut self) {
        self.process.wait().expect("ended");
        self.process = begin(&self.machine, &[&self.program[..], &self.words].concat());
    }

    /// Starts `sk8s WORDS` where another one has ended.
    pub fn start_again_as(&mut self, words: &[&str]) {
        self.words = words.iter().map(ToString::to_string).collect();
        self.start_again();
    }

    /// Kills a process by its program's name.
    pub fn kill(&self, name: &str) {
        assert!(self.machine.run(&["pkill", "-KILL", "-x", name]).status.success(), "{name} runs");
    }

    /// Ends it in order and waits until it has.
    pub fn stop(&mut self) {
        assert!(self.machine.run(&["pkill", "-TERM", "-x", "sk8s"]).status.success());
        assert_eq!(self.ended(), Some(0), "an orderly end");
    }

    /// Its exit code, once it ends by itself.
    pub fn ended(&mut self) -> Option<i32> {
        self.process.wait().expect("ended").code()
    }

    /// What a verb of the command line answers.
    pub fn sk8s(&self, words: &[&str]) -> Output {
        self.machine.run(&self.program.iter().map(String::as_str).chain(words.iter().copied()).collect::<Vec<_>>())
    }

    /// What kubectl says, trimmed.
    pub fn said(&self, words: &[&str]) -> String {
        let out = self.sk8s(&[&["kubectl"], words].concat());
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// Whether an object can be made.
    pub fn writes(&self, name: &str) -> bool {
        self.sk8s(&["kubectl", "create", "configmap", name, "--from-literal=a=b"]).status.success()
    }

    pub fn status(&self) -> Option<Status> {
        serde_json::from_slice(&self.sk8s(&["status", "-o", "json"]).stdout).ok()
    }

    pub fn wait_ready(&self) -> Status {
        eventually("the node is ready", || self.status().filter(|status| status.phase == Phase::Ready))
    }

    /// Puts objects into the cluster through the manifests folder, `BUSYBOX` standing for the image's reference.
    pub fn apply(&self, name: &str, text: &str) {
        let text = text.replace("BUSYBOX", &images()["busybox"]);
        self.machine.shell(&format!("cat > /var/lib/sk8s/manifests/{name} <<'END'\n{text}\nEND"));
    }

    pub fn log(&self) -> String {
        self.machine.shell(&format!("cat {LOG}"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("== {:?}\n{}", self.words, self.machine.shell(&format!("tail -n 60 {LOG}")));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn begin(machine: &Machine, words: &[String]) -> Child {
    machine.start(&words.iter().map(String::as_str).collect::<Vec<_>>(), LOG)
}

/// The program that was built with the tests, and where upstream's are.
fn ours() -> Vec<String> {
    let places = [("--components", "SK8S_COMPONENTS"), ("--cni", "SK8S_CNI"), ("--images", "SK8S_IMAGES")];
    let places = places.map(|(flag, key)| format!("{flag}={}", folder_of(key).display()));
    std::iter::once(env!("CARGO_BIN_EXE_sk8s").to_owned()).chain(places).collect()
}

pub fn folder_of(key: &str) -> PathBuf {
    std::env::var_os(key).unwrap_or_else(|| panic!("{key} is not set")).into()
}

/// The built-in images by name; the list lies beside the archives or beside their folder.
pub fn images() -> BTreeMap<String, String> {
    let folder = folder_of("SK8S_IMAGES");
    let lists = [folder.join("images.json"), folder.with_file_name("images.json")];
    let text = lists.iter().find_map(|list| std::fs::read_to_string(list).ok()).expect("a list of images");
    sk8s::component::images(&text).expect("JSON")
}
