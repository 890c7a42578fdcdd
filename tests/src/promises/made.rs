//! A cluster that `skerry cluster new` made, whose hosts are machines of the lab.

use std::path::PathBuf;

use serde_json::{Value, json};
use skerry_qemu::{Medium, files, free_port};

use crate::{Broken, Check, kubectl::Kubectl, lab::Lab, process::Program};

/// It.
pub struct Made {
    name: &'static str,
    folder: PathBuf,
}

impl Made {
    /// Makes one; `spec` is that of its file of hosts.
    ///
    /// # Errors
    /// If `skerry` refuses.
    pub fn new(lab: &Lab, name: &'static str, spec: &Value) -> Check<Self> {
        let made = Self { name, folder: lab.scratch(&format!("{name}-cluster")) };
        let hosts = lab.scratch(&format!("{name}-hosts.yaml"));
        let text = json!({ "apiVersion": "skerry.dev/v1", "kind": "Cluster", "spec": spec });
        files::write(&hosts, text.to_string().as_bytes()).map_err(Broken::when("no file of hosts"))?;
        made.verb(lab, "new", &["--hosts", &hosts.display().to_string()])?;
        Ok(made)
    }

    /// What reaches its API at a port of the host.
    ///
    /// # Errors
    /// If `skerry` refuses.
    pub fn kubectl(&self, lab: &Lab, api: u16) -> Check<Kubectl> {
        let config = lab.scratch(&format!("{}-{api}.kubeconfig", self.name));
        let text = self.verb(lab, "kubeconfig", &["--server", &format!("https://127.0.0.1:{api}")])?;
        files::write(&config, text.as_bytes()).map_err(Broken::when("no kubeconfig"))?;
        let command = format!("{} --quiet kubectl --kubeconfig {}", lab.skerry().display(), config.display());
        Ok(Kubectl::new(command, lab.interrupt.clone()))
    }

    /// A host's seed on a medium.
    ///
    /// # Errors
    /// If there is no such host, or the medium cannot be written.
    pub fn medium(&self, lab: &Lab, host: &str) -> Check<PathBuf> {
        let seed =
            files::read_text(&self.folder.join(format!("seeds/{host}.yaml"))).map_err(Broken::when("no seed"))?;
        let medium = lab.scratch(&format!("{}-{host}.img", self.name));
        Medium::nocloud(seed).write(&medium).map_err(Broken::when("no medium"))?;
        Ok(medium)
    }

    fn verb(&self, lab: &Lab, verb: &str, more: &[&str]) -> Check<String> {
        let program = Program::new(lab.skerry()).args(["cluster", verb, self.name]).args(more);
        program.arg("--out").arg(&self.folder).finish()?.success()
    }
}

/// A port of the host that nobody has.
///
/// # Errors
/// If there is none.
pub fn port() -> Check<u16> {
    free_port(None).map_err(Broken::when("no free port"))
}
