//! Makes backups at intervals, and lets old ones go.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    collect::{self, Destination, Order, Saved, Servers},
    error::BackupError,
    made::{BackupName, expired},
    snapshots::{Interval, Snapshots},
};
use crate::{
    component::ComponentId,
    config::Settings,
    paths::Paths,
    pki::UnixTime,
    supervisor::{Handle, chain},
    sys::{clock, fs},
};

/// Whose backups.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What the node is.
    pub settings: Settings,
    /// Where things are.
    pub paths: Paths,
    /// Its configuration file, if it has one.
    pub config: PathBuf,
}

/// The pause before the next attempt after one that failed, or before the first.
const AGAIN: Duration = Duration::from_secs(300);

/// Makes backups for as long as the process lives, if the configuration asks for any.
pub async fn follow(subject: Subject, handle: Handle) {
    let Some(snapshots) = subject.settings.snapshots.clone() else { return };
    handle.ready(ComponentId::KubeApiserver).await;
    loop {
        let folder = folder(&subject, &snapshots);
        let pause = names(&folder).map_or(AGAIN, |names| wait(&names, clock::now(), snapshots.interval));
        tokio::time::sleep(pause).await;
        let (subject, keep) = (subject.clone(), Keep(snapshots.keep));
        let made = tokio::task::spawn_blocking(move || round(&subject, Servers::Running, (&folder, keep))).await;
        match made {
            Ok(Ok(saved)) => tracing::info!(file = %saved.path.unwrap_or_default().display(), "backup made"),
            Ok(Err(error)) => {
                tracing::warn!(error = %chain(&error), "no backup made");
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => tracing::error!(%error, "no backup made"),
        }
    }
}

fn folder(subject: &Subject, snapshots: &Snapshots) -> PathBuf {
    snapshots.folder.clone().unwrap_or_else(|| subject.paths.data.join("snapshots"))
}

/// How many backups stay in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep(pub usize);

/// One backup into a folder, and then one fewer of the old there.
///
/// # Errors
/// If none can be made, or an old one cannot be removed.
pub fn round(subject: &Subject, servers: Servers, (folder, keep): (&Path, Keep)) -> Result<Saved, BackupError> {
    let configuration = fs::read_if_there(&subject.config)?;
    let order = Order {
        settings: &subject.settings,
        paths: &subject.paths,
        configuration: configuration.as_deref(),
        now: clock::now(),
        servers,
    };
    let saved = collect::save(&order, Destination::Folder(folder))?;
    for name in expired(&names(folder)?, keep.0) {
        fs::remove_file(&folder.join(name))?;
    }
    Ok(saved)
}

fn names(folder: &Path) -> Result<Vec<String>, fs::FsError> {
    let names = fs::list(folder)?;
    Ok(names.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
}

/// How long until the next one is due: an interval after the latest, though a clock that was set back since may not put it
/// off for longer than one.
fn wait(names: &[String], now: UnixTime, interval: Interval) -> Duration {
    let latest = names.iter().filter_map(|name| name.parse::<BackupName>().ok()).max();
    let length = interval.length();
    latest.map_or(Duration::ZERO, |latest| {
        let due = latest.at().0.saturating_add(length.as_secs());
        Duration::from_secs(due.saturating_sub(now.0)).min(length)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BackupName, wait};
    use crate::pki::UnixTime;

    const NOW: UnixTime = UnixTime(1_795_269_900);

    fn after(latest: u64) -> Duration {
        let names = ["other".to_owned(), BackupName::made(UnixTime(latest)).to_string()];
        wait(&names, NOW, "2h".parse().expect("valid"))
    }

    #[test]
    fn the_first_is_due_at_once() {
        assert_eq!(wait(&[], NOW, "2h".parse().expect("valid")), Duration::ZERO);
    }

    #[test]
    fn the_next_is_due_an_interval_after_the_latest() {
        assert_eq!(after(NOW.0 - 3600), Duration::from_secs(3600));
        assert_eq!(after(NOW.0 - 9000), Duration::ZERO);
    }

    #[test]
    fn a_clock_set_back_a_year_does_not_end_backups() {
        assert_eq!(after(NOW.plus_days(365).0), Duration::from_secs(7200));
    }
}
