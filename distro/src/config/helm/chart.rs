//! What is to be in the cluster.

use std::{fmt, path::PathBuf, time::Duration};

use serde_yaml_ng::Value;
use skerry_formats::hint;

use super::raw::RawChart;
use crate::config::{
    duration::{self, BadDuration},
    node::is_subdomain,
};

/// How long a chart may take that says nothing of it.
const TIMEOUT: Duration = Duration::from_secs(600);
/// The shortest time and the longest that a chart may be given.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));

/// A chart, and the release that it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The release.
    pub release: ReleaseRef,
    /// The chart.
    pub source: Source,
    /// Which version of it; the newest at the time if none is named.
    pub version: Option<String>,
    /// Text of a YAML map; may be empty.
    pub values: String,
    /// How long each step of helm's may take.
    pub timeout: Duration,
    /// Its turn: lower ones come first.
    pub order: i32,
    /// How objects are changed.
    pub manner: Manner,
}

/// What names a release in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ReleaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Where a chart is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a repository of the configuration, by its name there.
    Repository {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
    },
    /// In a registry, or an archive on a server: a whole URL.
    Url(String),
    /// A file or folder of this machine.
    Local(PathBuf),
}

/// How objects are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// In place.
    Apply,
    /// In place of the old ones, so that also what cannot be changed is.
    Replace,
}

/// A chart that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadChart {
    /// No release's name.
    #[error("not a release's name: `{0}`; wanted: lower-case letters, digits, `-` and `.`, at most 53")]
    Name(String),
    /// No namespace.
    #[error("{0}: namespace: not a name: `{1}`; wanted: lower-case letters, digits and `-`, at most 63")]
    Namespace(String, String),
    /// Nowhere.
    #[error(
        "{0}: chartname: not a chart: `{1}`; wanted: `REPOSITORY/CHART`, `oci://HOST/PATH/CHART`, the URL of an archive or an \
         absolute path"
    )]
    Source(String, String),
    /// A repository that nobody named.
    #[error("{chart}: chartname: no repository `{name}` in `repositories`{}",
        .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Repository {
        /// The chart.
        chart: String,
        /// What was written.
        name: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// Values that are no map.
    #[error("{0}: values: wanted: a map, or a text that is one in YAML")]
    Values(String),
    /// No time.
    #[error("{0}: timeout")]
    Timeout(String, #[source] BadDuration),
    /// Too short or too long.
    #[error("{0}: timeout: wanted: from 1s to 24h")]
    Length(String),
    /// An empty version.
    #[error("{0}: version: not a version: `{1}`; wanted: as in `1.2.3` or `~1.2`")]
    Version(String, String),
}

impl Chart {
    /// Checks one of `spec.extensions.helm.charts`, where there are these repositories.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn validate(raw: &RawChart, repositories: &[&str]) -> Result<Self, Vec<BadChart>> {
        let mut bad = Vec::new();
        let mut keep = |problem: BadChart| bad.push(problem);
        let name = raw.name.clone();
        if !is_subdomain(&name) || name.len() > 53 {
            keep(BadChart::Name(name.clone()));
        }
        let namespace = raw.namespace.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| "default".to_owned());
        if !is_subdomain(&namespace) || namespace.len() > 63 || namespace.contains('.') {
            keep(BadChart::Namespace(name.clone(), namespace.clone()));
        }
        let source = source(raw, repositories).map_err(&mut keep).ok();
        let values = values(raw).map_err(&mut keep).ok();
        let timeout = timeout(raw).map_err(&mut keep).ok();
        let version = raw.version.as_ref().map(|text| text.as_str().to_owned()).filter(|text| !text.is_empty());
        if let Some(version) = version.as_ref().filter(|text| !is_version(text)) {
            keep(BadChart::Version(name.clone(), version.clone()));
        }
        let manner = if raw.force_upgrade == Some(true) { Manner::Replace } else { Manner::Apply };
        let release = ReleaseRef { namespace, name };
        let order = raw.order.unwrap_or_default();
        match (source, values, timeout) {
            (Some(source), Some(values), Some(timeout)) if bad.is_empty() => {
                Ok(Self { release, source, version, values, timeout, order, manner })
            }
            _ => Err(bad),
        }
    }
}

fn source(raw: &RawChart, repositories: &[&str]) -> Result<Source, BadChart> {
    let text = raw.chartname.as_str();
    let bad = || BadChart::Source(raw.name.clone(), text.to_owned());
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(bad());
    }
    if text.starts_with('/') {
        return Ok(Source::Local(text.into()));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default();
        let known = ["oci", "https", "http"].contains(&scheme) && !host.is_empty() && !host.contains('@');
        return if known && rest.contains('/') { Ok(Source::Url(text.to_owned())) } else { Err(bad()) };
    }
    let (repository, chart) = text.split_once('/').ok_or_else(bad)?;
    if chart.is_empty() || repository.is_empty() || repository.starts_with('.') {
        return Err(bad());
    }
    if repositories.contains(&repository) {
        return Ok(Source::Repository { repository: repository.to_owned(), chart: chart.to_owned() });
    }
    let near = hint::nearest(repository, repositories.iter().copied()).map(ToOwned::to_owned);
    Err(BadChart::Repository { chart: raw.name.clone(), name: repository.to_owned(), near })
}

/// A map is passed on as JSON, which helm reads as YAML and in one way only; a text as it is.
fn values(raw: &RawChart) -> Result<String, BadChart> {
    let bad = || BadChart::Values(raw.name.clone());
    match &raw.values {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => match serde_yaml_ng::from_str(text) {
            Ok(Value::Null) => Ok(String::new()),
            Ok(Value::Mapping(_)) => Ok(text.clone()),
            _ => Err(bad()),
        },
        Some(map @ Value::Mapping(_)) => serde_json::to_string(map).map_err(|_| bad()),
        Some(_) => Err(bad()),
    }
}

/// None, and zero, stand for the usual time.
fn timeout(raw: &RawChart) -> Result<Duration, BadChart> {
    let text = raw.timeout.as_deref().filter(|text| !text.is_empty()).unwrap_or("0");
    let given = duration::parse(text).map_err(|source| BadChart::Timeout(raw.name.clone(), source))?;
    match given {
        Duration::ZERO => Ok(TIMEOUT),
        given if (TIMEOUTS.0..=TIMEOUTS.1).contains(&given) => Ok(given),
        _ => Err(BadChart::Length(raw.name.clone())),
    }
}

/// A version or a constraint (Masterminds/semver's notation); helm says more of one that it does not like.
fn is_version(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || " .-+*^~<>=!|,".contains(c);
    text.len() <= 128 && text.chars().all(known) && !text.starts_with('-')
}
