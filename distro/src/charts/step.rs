//! What is to be done about each chart, from what is wanted and what there is.

use std::collections::BTreeMap;

use serde_json::json;
use skerry_formats::digest::Digest;

use super::release::{Releases, Revision, State};
use crate::config::{Chart, Manner, NodeName, ReleaseRef, Repository, Source};

/// What is to be done about a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is as it should be.
    Leave,
    /// It is to be made, or changed.
    Upgrade,
    /// A run that was cut short is to be undone, back to this revision.
    RollBack(u32),
    /// It is to be removed.
    Uninstall,
    /// Somebody else made it: nothing is done.
    Refuse,
}

/// A release and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The release.
    pub release: ReleaseRef,
    /// What is to be done.
    pub step: Step,
    /// Its turn; what is only removed has none, and goes first.
    pub order: Option<i32>,
}

/// What is to be done, in order: what left the configuration is removed first, then charts come by their turn and their place in
/// the configuration. `wanted` are charts with their prints.
#[must_use]
pub fn jobs(wanted: &[(&Chart, String)], there: &Releases, node: &NodeName) -> Vec<Job> {
    let by_name: BTreeMap<_, _> = wanted.iter().map(|(chart, print)| (&chart.release, print)).collect();
    let left = there.iter().filter(|(release, _)| !by_name.contains_key(release));
    let left = left.map(|(release, revisions)| Job {
        release: release.clone(),
        step: left_over(revisions, node),
        order: None,
    });
    let mut jobs: Vec<Job> = left.filter(|job| job.step != Step::Leave).collect();
    let mut ordered: Vec<_> = wanted.iter().collect();
    ordered.sort_by_key(|(chart, _)| chart.order);
    jobs.extend(ordered.into_iter().map(|(chart, print)| {
        let revisions = there.get(&chart.release).map(Vec::as_slice).unwrap_or_default();
        Job { release: chart.release.clone(), step: next(print, revisions), order: Some(chart.order) }
    }));
    jobs
}

/// What is to be done about a release that is wanted.
fn next(print: &str, revisions: &[Revision]) -> Step {
    let Some(last) = revisions.last() else { return Step::Upgrade };
    let Some(mark) = &last.mark else {
        return if last.state == State::Uninstalled { Step::Upgrade } else { Step::Refuse };
    };
    match last.state {
        State::Deployed if mark.print == print => Step::Leave,
        State::Deployed | State::Failed | State::Superseded | State::Uninstalled | State::Unknown => Step::Upgrade,
        State::Uninstalling => Step::Uninstall,
        // This controller leads and runs no helm for it now: whoever did was cut short.
        State::Pending => last_good(revisions).map_or(Step::Uninstall, Step::RollBack),
    }
}

/// The revision that was last in the cluster.
fn last_good(revisions: &[Revision]) -> Option<u32> {
    let last = |state| revisions.iter().rev().find(|revision| revision.state == state).map(|revision| revision.number);
    last(State::Deployed).or_else(|| last(State::Superseded))
}

/// What is to be done about a release that is not wanted: ours is removed, another controller's and anybody else's is not.
fn left_over(revisions: &[Revision], node: &NodeName) -> Step {
    let mark = revisions.last().and_then(|last| last.mark.as_ref());
    if mark.is_some_and(|mark| mark.node == *node) { Step::Uninstall } else { Step::Leave }
}

/// What a release is made from, as a digest: where a chart is, what is in it if it is here, which version, with which values.
#[must_use]
pub fn print(chart: &Chart, repositories: &[Repository], content: Option<Digest>) -> String {
    let source = match &chart.source {
        Source::Repository { repository, chart } => {
            let url = repositories.iter().find(|known| known.name == *repository).map(|known| known.url.as_str());
            json!({ "repository": url, "chart": chart })
        }
        Source::Url(url) => json!({ "url": url }),
        Source::Local(path) => {
            json!({ "path": path.to_string_lossy(), "content": content.map(|digest| digest.to_string()) })
        }
    };
    let whole = json!({
        "source": source,
        "version": chart.version,
        "values": chart.values,
        "replace": chart.manner == Manner::Replace,
    });
    // A label holds 63 characters; 160 bits are enough to tell one chart from another.
    Digest::of(whole.to_string().as_bytes()).to_string()[..40].to_owned()
}
