//! A controller that was another version of sk8s when it last ran: whether this one may go on, and the cluster as it was.
//!
//! The version that works on a data folder is written down in it before kube-apiserver can write. A step that Kubernetes does
//! not know is refused before anything is touched, and before any other a backup is made.

use crate::{
    backup::{self, BackupError, Keep, Servers, Subject},
    datastore,
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

/// Lets this version go on where the last one left off, if it may. Nothing of the cluster may run yet. Where the last one
/// was ended before it made a datastore, there is nothing to save.
///
/// # Errors
/// If it may not, or the backup cannot be made. The data are then as they were.
pub fn take_over(subject: &Subject) -> Result<(), UpgradeError> {
    let own = Release::own()?;
    let last = version::last(&subject.paths)?;
    let made = datastore::is_made(&subject.settings.storage, &subject.paths);
    if let Some(last) = version::step(last, own)?.filter(|_| made) {
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

#[cfg(test)]
mod tests {
    use super::{UpgradeError, take_over};
    use crate::{
        backup::Subject,
        config::{Raw, Settings},
        paths::Paths,
        sys::{
            accounts::Account,
            fs::{self, Access},
        },
        version::{self, Release},
    };

    /// A controller that another revision ran on; `None` where the tests may not give files to root.
    fn place(storage: &str) -> Option<(tempfile::TempDir, Subject)> {
        nix::unistd::getuid().is_root().then(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let (data, components) = (folder.path().to_owned(), folder.path().join("components"));
            let paths = Paths { data, components, ..Paths::default() };
            let raw = Raw::parse(&format!("spec: {{storage: {{type: {storage}}}}}")).expect("well-formed");
            let settings = Settings::validate(&raw, "barn").expect("valid");
            std::fs::create_dir(paths.pki()).expect("made");
            fs::write(&paths.pki().join("ca.crt"), b"x", Access::Public, Account::ROOT).expect("written");
            let other = format!("{}9", Release::own().expect("ours")).parse().expect("a later revision");
            version::record(&paths, other).expect("written");
            let config = folder.path().join("none.yaml");
            (folder, Subject { settings, paths, config })
        })
    }

    #[test]
    fn a_version_that_made_no_datastore_leaves_nothing_to_save() {
        for storage in ["kine", "etcd"] {
            let Some((_folder, subject)) = place(storage) else { return };
            take_over(&subject).expect("nothing is lost");
            assert_eq!(version::last(&subject.paths).expect("written"), Release::own().ok());
            assert!(!fs::exists(&subject.paths.upgrades()));
        }
    }

    #[test]
    fn what_cannot_be_saved_is_not_gone_on_with() {
        for (storage, file) in [("kine", "db/state.db"), ("etcd", "etcd/member/snap/db")] {
            let Some((_folder, subject)) = place(storage) else { return };
            let path = subject.paths.data.join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, b"objects", Access::Private, Account::ROOT).expect("written");
            let before = version::last(&subject.paths).expect("written");
            assert!(matches!(take_over(&subject), Err(UpgradeError::Backup { .. })), "there are no programs here");
            assert_eq!(version::last(&subject.paths).expect("written"), before);
        }
    }
}
