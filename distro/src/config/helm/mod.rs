//! Charts that are to be in the cluster: `spec.extensions.helm`.

mod chart;
mod raw;
mod repository;

use std::{collections::BTreeSet, num::NonZeroU8};

pub use chart::{BadChart, Chart, Manner, ReleaseRef, Source};
pub use raw::{RawExtensions, RawHelm};
pub use repository::{BadRepository, Repository, Trust};

/// How many charts are brought in at once where nobody says: each takes a process of helm's.
const AT_ONCE: u8 = 2;

/// Charts and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm {
    /// How many charts of one order are brought into the cluster at once.
    pub at_once: NonZeroU8,
    /// Where charts come from.
    pub repositories: Vec<Repository>,
    /// What is to be in the cluster.
    pub charts: Vec<Chart>,
}

/// Charts that cannot be. Display begins with the key below `spec.extensions.helm`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadHelm {
    /// None at a time, or too many.
    #[error("concurrencyLevel: `{0}`; wanted: from 1 to 64")]
    AtOnce(u32),
    /// A repository.
    #[error("repositories")]
    Repository(#[source] BadRepository),
    /// One name, two places.
    #[error("repositories: given twice: `{0}`")]
    TwoRepositories(String),
    /// A chart.
    #[error("charts")]
    Chart(#[source] BadChart),
    /// One release, two charts.
    #[error("charts: given twice: `{0}`")]
    TwoCharts(ReleaseRef),
}

impl Helm {
    /// Checks `spec.extensions.helm`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn validate(raw: &RawHelm) -> Result<Self, Vec<BadHelm>> {
        let mut bad = Vec::new();
        let wanted = raw.concurrency_level.unwrap_or(AT_ONCE.into());
        let at_once = u8::try_from(wanted).ok().and_then(NonZeroU8::new).filter(|count| count.get() <= 64);
        if at_once.is_none() {
            bad.push(BadHelm::AtOnce(wanted));
        }
        let (mut repositories, mut names) = (Vec::new(), BTreeSet::new());
        for raw in raw.repositories.iter().flatten() {
            if !names.insert(&raw.name) {
                bad.push(BadHelm::TwoRepositories(raw.name.clone()));
            }
            match Repository::validate(raw) {
                Ok(repository) => repositories.push(repository),
                Err(wrong) => bad.extend(wrong.into_iter().map(BadHelm::Repository)),
            }
        }
        let (mut charts, mut releases) = (Vec::new(), BTreeSet::new());
        let listed = raw.repositories.iter().flatten().filter(|raw| !raw.url.starts_with("oci://"));
        let known: Vec<&str> = listed.map(|raw| raw.name.as_str()).collect();
        for raw in raw.charts.iter().flatten() {
            match Chart::validate(raw, &known) {
                Ok(chart) => {
                    if !releases.insert(chart.release.clone()) {
                        bad.push(BadHelm::TwoCharts(chart.release.clone()));
                    }
                    charts.push(chart);
                }
                Err(wrong) => bad.extend(wrong.into_iter().map(BadHelm::Chart)),
            }
        }
        match at_once {
            Some(at_once) if bad.is_empty() => Ok(Self { at_once, repositories, charts }),
            _ => Err(bad),
        }
    }
}

#[cfg(test)]
mod tests;
