//! What came of each test, from Ginkgo's report.

use std::process::ExitCode;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Run {
    #[serde(default)]
    spec_reports: Option<Vec<Spec>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Spec {
    #[serde(default)]
    container_hierarchy_texts: Option<Vec<String>>,
    leaf_node_type: String,
    leaf_node_text: String,
    state: String,
    #[serde(default)]
    run_time: u64,
    #[serde(default)]
    failure: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    #[serde(default)]
    message: String,
}

/// Tests that cannot pass here, by a part of their names, each with the reason.
const KNOWN: [(&str, &str); 1] = [(
    "ImageVolume should succeed with pod and pull policy of Always",
    "asks a registry for an image that the node has, and there is no registry here",
)];

/// Prints a line for each test that did not pass and the sums; fails if one did not pass for a reason that is not known.
pub fn show(text: &str) -> Result<ExitCode, String> {
    let runs: Vec<Run> = serde_json::from_str(text).map_err(|error| format!("Ginkgo's report: {error}"))?;
    let specs: Vec<&Spec> =
        runs.iter().flat_map(|run| run.spec_reports.iter().flatten()).filter(|s| s.counts()).collect();
    let (passed, rest): (Vec<&Spec>, Vec<&Spec>) = specs.into_iter().partition(|spec| spec.state == "passed");
    let (skipped, failed): (Vec<&Spec>, Vec<&Spec>) = rest.into_iter().partition(|spec| spec.state == "skipped");
    let (known, unknown): (Vec<&Spec>, Vec<&Spec>) = failed.into_iter().partition(|spec| spec.reason().is_some());
    for spec in skipped.iter().filter(|spec| spec.failure.is_some()) {
        println!("skipped  {}\n         {}", spec.name(), spec.first_line());
    }
    for spec in &known {
        println!("known    {}\n         {}", spec.name(), spec.reason().unwrap_or_default());
    }
    for spec in &unknown {
        println!("{:<8} {}\n         {}", spec.state, spec.name(), spec.first_line());
    }
    let skipped = skipped.iter().filter(|spec| spec.failure.is_some()).count();
    let seconds: u64 = passed.iter().map(|spec| spec.run_time / 1_000_000_000).sum();
    println!(
        "{} passed (in {seconds} s, one after the other), {} failed, {} failed as is known, {skipped} skipped themselves",
        passed.len(),
        unknown.len(),
        known.len()
    );
    Ok(if unknown.is_empty() && !passed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Spec {
    /// Whether it is a test, or a step before or after all of them that went wrong.
    fn counts(&self) -> bool {
        self.leaf_node_type == "It" || self.failure.is_some()
    }

    fn name(&self) -> String {
        let above = self.container_hierarchy_texts.iter().flatten().map(String::as_str);
        above.chain([self.leaf_node_text.as_str()]).collect::<Vec<_>>().join(" ")
    }

    fn first_line(&self) -> &str {
        let message = self.failure.as_ref().map_or("", |failure| failure.message.as_str());
        message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()
    }

    fn reason(&self) -> Option<&'static str> {
        let name = self.name();
        KNOWN.iter().find(|(part, _)| name.contains(part)).map(|(_, reason)| *reason)
    }
}
