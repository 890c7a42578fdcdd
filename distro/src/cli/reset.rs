//! `sk8s reset`.

use super::{CliError, args::Places, own_node};
use crate::reset::{self, Backups, ResetError};

/// Whether to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Do it.
    Do,
    /// Show the plan.
    Explain,
}

/// Removes what is left, or shows what would be.
pub(super) fn reset(places: Places, manner: Manner, backups: Backups) -> Result<(), CliError> {
    let paths = own_node::places(places)?.paths();
    if manner == Manner::Explain {
        let places = reset::Places::find(&paths).map_err(ResetError::from)?;
        let steps = reset::plan(&reset::observe(&places)?, &places);
        if let Err(refusal) = reset::spare(&places, backups) {
            eprintln!("it would be refused: {refusal}\n  hint: {}", refusal.hint().unwrap_or_default());
        }
        let lines: String = steps.iter().map(|step| format!("{step}\n")).collect();
        return super::verbs::print(if lines.is_empty() { NOTHING } else { &lines });
    }
    let mut printed = Ok(());
    let outcome = reset::run(&paths, backups, |step, why| {
        let line = if why.is_empty() { format!("removed {step}\n") } else { format!("failed  {step}: {why}\n") };
        let result = super::verbs::print(&line);
        if printed.is_ok() {
            printed = result;
        }
    })?;
    printed?;
    match (outcome.done, outcome.failed) {
        (0, 0) => super::verbs::print(NOTHING),
        (_, 0) => Ok(()),
        (_, failed) => Err(ResetError::Left(failed).into()),
    }
}

const NOTHING: &str = "nothing of sk8s is on this machine\n";
