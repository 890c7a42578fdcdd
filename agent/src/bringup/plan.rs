//! What is left to do. Pure: the same intent and the same observation give the same steps; none when converged.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    observe::{FileState, Observed, Unit},
    step::{File, Service, Step},
    wanted::{Manner, Wanted, wanted},
};
use crate::intent::Intent;

/// Something that is there and that no step may change.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the node belongs to another cluster already: `{}` differs from the seed's; to move it, flash it again", .path.display()
)]
pub struct Conflict {
    /// The file that differs.
    pub path: PathBuf,
}

/// The steps from what is to what shall be.
///
/// Kubernetes is started once the node has an address, and never restarted by a plan: what it runs with is decided once
/// a boot.
///
/// # Errors
/// If the node already is something else.
pub fn plan(intent: &Intent, observed: &Observed) -> Result<Vec<Step>, Conflict> {
    let mut steps = Vec::new();
    let mut readers = BTreeSet::new();
    let mut units = false;
    for wanted in wanted(intent) {
        let Some(file) = change(&wanted, observed)? else { continue };
        readers.extend(wanted.reader);
        units |= file.path.starts_with("/run/systemd/system") || file.path.starts_with("/etc/systemd/system");
        steps.push(Step::Write(file));
    }
    if observed.name != intent.name.as_str() {
        steps.push(Step::Name(intent.name.clone()));
    }
    if units {
        steps.push(Step::ReadUnits);
    }
    steps.extend([Service::Network, Service::Time].into_iter().filter(|s| readers.contains(s)).map(Step::Restart));
    let startable = observed.kubernetes == Unit::Stopped && !observed.addresses.is_empty();
    if intent.work.role().is_some() && startable {
        steps.push(Step::Restart(Service::Kubernetes));
    }
    Ok(steps)
}

/// The file as it must be written, if it must.
fn change(wanted: &Wanted, observed: &Observed) -> Result<Option<File>, Conflict> {
    let file = &wanted.file;
    let Some(there) = observed.files.get(&file.path) else { return Ok(Some(file.clone())) };
    Ok(match wanted.manner {
        Manner::Keep if same_text(there, file) => None,
        Manner::Keep => return Err(Conflict { path: file.path.clone() }),
        Manner::Append if there.bytes.ends_with(&file.bytes) => None,
        Manner::Append => {
            let bytes = [there.bytes.as_slice(), &file.bytes].concat();
            Some(File { bytes, mode: there.mode, ..file.clone() })
        }
        Manner::Replace if there.bytes == file.bytes && there.mode == file.mode => None,
        Manner::Replace => Some(file.clone()),
    })
}

fn same_text(there: &FileState, wanted: &File) -> bool {
    there.bytes.trim_ascii() == wanted.bytes.trim_ascii()
}
