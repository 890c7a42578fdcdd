//! A controller that was another version of sk8s when it last ran: whether this one may go on, and the cluster as it was.
//!
//! The version that works on a data folder is written down in it before kube-apiserver can write. A step that Kubernetes does
//! not know is refused before anything is touched, and before any other a backup is made.

use crate::{
    backup::{self, BackupError, Keep, Servers, Subject},
    version::{self, BadRecord, BadRelease, Refused, Release},
};

/// A controller that cannot go on with what another version left.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The step is none that Kubernetes knows.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What last ran here.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// Our own version.
    #[error(transparent)]
    Own(#[from] BadRelease),
    /// No backup.
    #[error("{last} ran here before, and the cluster as it left it cannot be saved; {own} has changed nothing")]
    Backup {
        /// What ran here.
        last: Release,
        /// What would.
        own: Release,
        /// Why not.
        #[source]
        source: BackupError,
    },
}

/// How many backups of this kind stay.
const KEEP: Keep = Keep(2);

/// Lets this version go on where the last one left off, if it may. Nothing of the cluster may run yet.
///
/// # Errors
/// If it may not, or the backup cannot be made. The data are then as they were.
pub fn take_over(subject: &Subject) -> Result<(), UpgradeError> {
    let own = Release::own()?;
    let last = version::last(&subject.paths)?;
    if let Some(last) = version::step(last, own)? {
        let folder = subject.paths.upgrades();
        let saved = backup::round(subject, Servers::Stopped, (&folder, KEEP));
        let saved = saved.map_err(|source| UpgradeError::Backup { last, own, source })?;
        let backup = saved.path.unwrap_or(folder);
        tracing::info!(%last, now = %own, backup = %backup.display(), "another version of sk8s ran here before");
    }
    if last != Some(own) {
        version::record(&subject.paths, own)?;
    }
    Ok(())
}
