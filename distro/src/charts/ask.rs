//! How helm is told what to do.

use std::path::{Path, PathBuf};

use super::release::{CHART, NODE};
use crate::{
    config::{Chart, Manner, NodeName, ReleaseRef, Repository, Source, Trust, duration_text},
    paths::Paths,
};

/// How many revisions of a release stay.
const HISTORY: u32 = 5;

/// Where helm's files are.
#[derive(Clone, Debug)]
pub struct Site {
    /// Of this boot, readable by root alone: repositories, credentials, values.
    pub private: PathBuf,
    /// What outlives a boot: charts and lists of charts that were fetched.
    pub cache: PathBuf,
    /// The owner's kubeconfig.
    pub kubeconfig: PathBuf,
}

impl Site {
    /// A node's.
    #[must_use]
    pub fn of(paths: &Paths) -> Self {
        Self { private: paths.helm_private(), cache: paths.helm(), kubeconfig: paths.admin().join("kubeconfig") }
    }

    /// The list of repositories.
    #[must_use]
    pub fn repositories(&self) -> PathBuf {
        self.private.join("repositories.yaml")
    }

    /// Credentials of registries.
    #[must_use]
    pub fn logins(&self) -> PathBuf {
        self.private.join("registry.json")
    }

    /// The values of a release.
    #[must_use]
    pub fn values(&self, release: &ReleaseRef) -> PathBuf {
        self.private.join(format!("{}.{}.yaml", release.namespace, release.name))
    }
}

/// helm's variables: all that it keeps is in folders of ours.
#[must_use]
pub fn environment(site: &Site) -> Vec<(&'static str, PathBuf)> {
    vec![
        ("HOME", site.cache.clone()),
        ("HELM_CACHE_HOME", site.cache.clone()),
        ("HELM_CONFIG_HOME", site.private.clone()),
        ("HELM_DATA_HOME", site.cache.clone()),
        ("HELM_REPOSITORY_CACHE", site.cache.join("repository")),
        ("HELM_CONTENT_CACHE", site.cache.join("content")),
        ("HELM_REPOSITORY_CONFIG", site.repositories()),
        ("HELM_REGISTRY_CONFIG", site.logins()),
        ("HELM_NO_PLUGINS", "1".into()),
        ("KUBECONFIG", site.kubeconfig.clone()),
        ("TMPDIR", site.private.clone()),
    ]
}

/// Fetches a repository's list of charts.
#[must_use]
pub fn refresh(repository: &str) -> Vec<String> {
    words(&["helm", "repo", "update", repository])
}

/// Makes a release be as its chart says, and undoes what does not come about.
#[must_use]
pub fn upgrade(chart: &Chart, print: &str, (node, site): (&NodeName, &Site), known: &[Repository]) -> Vec<String> {
    let reference = match &chart.source {
        Source::Repository { repository, chart } => format!("{repository}/{chart}"),
        Source::Url(url) => url.clone(),
        Source::Local(path) => path.display().to_string(),
    };
    let mut all = words(&["helm", "upgrade", &chart.release.name, &reference, "--install", "--create-namespace"]);
    all.extend(namespace(&chart.release));
    all.extend(words(&["--wait", "--rollback-on-failure", "--hide-notes"]));
    all.push(format!("--timeout={}", duration_text(chart.timeout)));
    all.push(format!("--history-max={HISTORY}"));
    all.push(format!("--labels={CHART}={print},{NODE}={node}"));
    all.extend(chart.version.iter().map(|version| format!("--version={version}")));
    if !chart.values.is_empty() {
        all.push(format!("--values={}", site.values(&chart.release).display()));
    }
    if chart.manner == Manner::Replace {
        // helm replaces nothing where the server merges.
        all.extend(words(&["--force-replace", "--server-side=false"]));
    }
    if let Source::Url(url) = &chart.source {
        all.extend(registry(url, known).into_iter().flat_map(certificates));
    }
    all
}

/// Undoes a run that was cut short.
#[must_use]
pub fn roll_back(release: &ReleaseRef, revision: u32) -> Vec<String> {
    let mut all = words(&["helm", "rollback", &release.name, &revision.to_string()]);
    all.extend(namespace(release));
    all.push(format!("--history-max={HISTORY}"));
    all
}

/// Removes a release, and waits until its objects are gone.
#[must_use]
pub fn uninstall(release: &ReleaseRef) -> Vec<String> {
    let mut all = words(&["helm", "uninstall", &release.name, "--ignore-not-found", "--wait"]);
    all.extend(namespace(release));
    all
}

/// helm's own words of what went wrong, from what it wrote to its two streams.
#[must_use]
pub fn complaint(out: &str, err: &str) -> String {
    let said = |text: &str| text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(ToOwned::to_owned);
    let error = err.lines().rfind(|line| line.starts_with("Error: "));
    let error = error.map(|line| line.trim_start_matches("Error: ").to_owned()).or_else(|| said(err));
    // Of repositories, the reason is on the other stream, below a line that says which.
    let reason = out.lines().find_map(|line| line.strip_prefix('\t'));
    let text = match (error, reason) {
        (_, Some(reason)) => reason.to_owned(),
        (Some(error), None) => error,
        (None, None) => said(out).unwrap_or_else(|| "it said nothing".to_owned()),
    };
    text.chars().take(500).collect()
}

fn namespace(release: &ReleaseRef) -> [String; 1] {
    [format!("--namespace={}", release.namespace)]
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// The entry that is nearest to a chart in a registry.
fn registry<'a>(url: &str, known: &'a [Repository]) -> Option<&'a Repository> {
    let below = |known: &&Repository| {
        known.is_registry() && url.strip_prefix(&known.url).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    known.iter().filter(below).max_by_key(|known| known.url.len())
}

fn certificates(known: &Repository) -> Vec<String> {
    let file = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    let mut all: Vec<String> = known.ca.iter().map(|path| file("ca-file", path)).collect();
    if let Some((certificate, key)) = &known.proof {
        all.extend([file("cert-file", certificate), file("key-file", key)]);
    }
    if known.trust == Trust::Blind {
        all.push("--insecure-skip-tls-verify".to_owned());
    }
    all
}
