//! Kubernetes' own conformance tests of the API, those that need no pods: the whole suite takes hours and other images
//! (`cargo xtask conformance`).

use std::{path::Path, time::Duration};

use skerry_qemu::files;

use crate::{Broken, Check, node::Node, process::Program};

/// Runs them against the node.
pub fn api(node: &mut Node) -> Check {
    let config = node.state().join("conformance.kubeconfig");
    let text = node.kubectl.run(&["config", "view", "--raw", "--flatten"])?;
    files::write(&config, text.as_bytes()).map_err(Broken::when("no kubeconfig"))?;
    let suite = Program::new("cargo").args(["xtask", "conformance", "--procs=2", "--kubeconfig"]).arg(&config);
    let suite = suite.dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).limit(Duration::from_secs(1500));
    let done = suite.finish()?.success()?;
    println!("      {}", done.lines().last().unwrap_or_default());
    Ok(())
}
