//! Makes backups at intervals, and lets old ones go.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    collect::{self, Destination, Order, Saved, Servers},
    error::BackupError,
    made::{Keep, Nameless, Ours, expired},
    snapshots::Interval,
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
    let folder = snapshots.folder.clone().unwrap_or_else(|| subject.paths.snapshots());
    loop {
        let (ours, folder) = (subject.ours(&folder), folder.clone());
        let pause = fs::names(&folder).map_or(AGAIN, |names| wait((ours, &names), clock::now(), snapshots.interval));
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

impl Subject {
    /// Which backups in a folder are this node's. In the folders that are its own all are, also those from before names told
    /// the node; elsewhere, others may write too.
    fn ours(&self, folder: &Path) -> Ours<'_> {
        let own = [self.paths.snapshots(), self.paths.upgrades()].iter().any(|own| own == folder);
        Ours { node: &self.settings.node, nameless: if own { Nameless::Ours } else { Nameless::Unknown } }
    }
}

/// One backup into a folder, and then one fewer of this node's old ones there.
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
    let made = saved.path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let names = fs::names(folder)?;
    for name in expired(&names, &made.unwrap_or_default(), (subject.ours(folder), keep), order.now) {
        fs::remove_file(&folder.join(name))?;
    }
    Ok(saved)
}

/// How long until the next one is due: an interval after the latest of the past. Where all are of a time to come, the clock
/// was set back since, which may not put it off for longer than an interval from now.
fn wait((ours, names): (Ours<'_>, &[String]), now: UnixTime, interval: Interval) -> Duration {
    let length = interval.length();
    let (past, to_come): (Vec<_>, Vec<_>) = ours.among(names).map(|(name, _)| name.at()).partition(|at| *at <= now);
    match (past.into_iter().max(), to_come.is_empty()) {
        (Some(latest), _) => Duration::from_secs(latest.plus(length).0.saturating_sub(now.0)),
        (None, false) => length,
        (None, true) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Nameless, Ours, wait};
    use crate::{backup::BackupName, config::NodeName, pki::UnixTime};

    const NOW: UnixTime = UnixTime(1_795_269_900);

    fn node(name: &str) -> NodeName {
        name.parse().expect("a name")
    }

    fn due(names: &[String]) -> Duration {
        let ours = Ours { node: &node("barn"), nameless: Nameless::Unknown };
        wait((ours, names), NOW, "2h".parse().expect("valid"))
    }

    fn after(latest: u64) -> Duration {
        due(&["other".to_owned(), BackupName::made(UnixTime(latest), &node("barn"), &[]).to_string()])
    }

    #[test]
    fn the_first_is_due_at_once() {
        assert_eq!(due(&[]), Duration::ZERO);
        assert_eq!(due(&[BackupName::made(NOW, &node("mill"), &[]).to_string()]), Duration::ZERO, "another's is none");
    }

    #[test]
    fn the_next_is_due_an_interval_after_the_latest() {
        assert_eq!(after(NOW.0 - 3600), Duration::from_secs(3600));
        assert_eq!(after(NOW.0 - 9000), Duration::ZERO);
    }

    #[test]
    fn a_clock_set_back_a_year_does_not_end_backups() {
        assert_eq!(after(NOW.plus_days(365).0), Duration::from_secs(7200));
        let made = |at| BackupName::made(at, &node("barn"), &[]).to_string();
        assert_eq!(due(&[made(NOW.plus_days(365)), made(UnixTime(NOW.0 - 3600))]), Duration::from_secs(3600));
    }
}
