//! How charts are, for whoever asks how the node is.

use skerry_formats::status::{ChartState, ChartStatus};

use super::{
    patience::Patience,
    step::{Job, Step},
};

/// A line for each release that there is something to say of.
#[must_use]
pub fn report(jobs: &[Job], troubles: &Patience) -> Vec<ChartStatus> {
    let line = |job: &Job| {
        let why = troubles.why(&job.release).map(ToOwned::to_owned);
        let state = match (job.step, &why) {
            (Step::Leave, _) => ChartState::Deployed,
            (_, Some(_)) => ChartState::Failed,
            (Step::Refuse, None) => ChartState::Failed,
            (Step::Uninstall, None) if job.order.is_none() => ChartState::Removing,
            (Step::Upgrade | Step::RollBack(_) | Step::Uninstall, None) => ChartState::Waiting,
        };
        let why = if job.step == Step::Refuse { Some(FOREIGN.to_owned()) } else { why };
        let why = why.filter(|_| state != ChartState::Deployed);
        ChartStatus { release: job.release.to_string(), state, why }
    };
    jobs.iter().map(line).collect()
}

/// Why nothing is done about a release.
pub const FOREIGN: &str = "there is a release of this name that sk8s did not make; remove it with `sk8s helm uninstall`, or name the chart otherwise";
