//! The Kubernetes client: the very command line that `skerry vm` printed.

use std::time::Duration;

use serde_json::Value;
use skerry_qemu::{Deadline, Interrupt, clock};

use crate::{
    Broken, Check,
    process::{Finished, Program},
};

/// A command line that reaches the node.
#[derive(Clone, Debug)]
pub struct Kubectl {
    command: String,
    interrupt: Interrupt,
}

impl Kubectl {
    /// The command line as printed, without the verb.
    #[must_use]
    pub fn new(command: String, interrupt: Interrupt) -> Self {
        Self { command, interrupt }
    }

    /// Runs the client; a failure is in the result.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn ask(&self, args: &[&str]) -> Check<Finished> {
        self.program(args).finish()
    }

    /// What the client prints.
    ///
    /// # Errors
    /// If it fails.
    pub fn run(&self, args: &[&str]) -> Check<String> {
        self.ask(args)?.success().map_err(|Broken(why)| Broken(format!("kubectl {}: {why}", args.join(" "))))
    }

    /// What the client prints as JSON.
    ///
    /// # Errors
    /// If it fails or prints something else.
    pub fn json(&self, args: &[&str]) -> Check<Value> {
        let mut all = args.to_vec();
        all.push("--output=json");
        serde_json::from_str(&self.run(&all)?).map_err(Broken::when("kubectl printed no JSON"))
    }

    /// Makes or changes an object.
    ///
    /// # Errors
    /// If the API refuses it.
    pub fn apply(&self, object: &Value) -> Check {
        self.program(&["apply", "--filename=-"]).input(object.to_string()).finish()?.success().map(|_| ())
    }

    /// Runs a shell script in a pod and returns what it prints.
    ///
    /// # Errors
    /// If the pod cannot be reached or the script fails.
    pub fn shell(&self, pod: &str, script: &str) -> Check<String> {
        self.run(&["exec", pod, "--", BUSYBOX, "sh", "-c", script])
    }

    /// Asks again until `check` gives a value.
    ///
    /// # Errors
    /// With the last attempt's words, when the deadline has passed, or on Ctrl-C.
    pub fn until<T>(&self, what: &str, deadline: Deadline, mut check: impl FnMut(&Self) -> Check<T>) -> Check<T> {
        loop {
            let Broken(why) = match check(self) {
                Ok(value) => return Ok(value),
                Err(why) => why,
            };
            if self.interrupt.raised() {
                return Err(Broken::new("interrupted"));
            }
            if deadline.passed() {
                return Err(Broken(format!("{what}: not within {} s: {why}", deadline.limit().as_secs())));
            }
            let pause = Deadline::seconds(1);
            while !pause.passed() {
                clock::pause();
            }
        }
    }

    /// Whether the node is Ready now.
    ///
    /// # Errors
    /// With what it waits for.
    pub fn node_ready(&self) -> Check<Value> {
        let nodes = self.json(&["get", "nodes"])?;
        let node = nodes["items"][0].clone();
        let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
        match conditions.iter().find(|condition| condition["type"] == "Ready") {
            Some(ready) if ready["status"] == "True" => Ok(node),
            Some(other) => Err(Broken(format!("the node is not Ready: {}", other["message"]))),
            None => Err(Broken::new("the node has not reported")),
        }
    }

    /// Whether a pod is Ready now.
    ///
    /// # Errors
    /// With its status.
    pub fn pod_ready(&self, name: &str) -> Check<Value> {
        let pod = self.json(&["get", "pod", name])?;
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        if conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True") {
            return Ok(pod);
        }
        Err(Broken(format!("pod `{name}` is not Ready: {}", pod["status"])))
    }

    fn program(&self, args: &[&str]) -> Program {
        let script = format!("exec {} --request-timeout=20s \"$@\"", self.command);
        let words = ["-c", &script, "kubectl"];
        Program::new("/bin/sh").args(words).args(args).limit(Duration::from_secs(60))
    }
}

/// The program of the preloaded image that pods of the tests run.
pub const BUSYBOX: &str = "/bin/busybox";
