//! Runs of helm's: what is due, in its order, so many at once.

use std::{collections::BTreeSet, ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use skerry_formats::status::ChartState;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Yard, show_one};
use crate::{
    charts::{self, Job, Step},
    config::{Chart, ReleaseRef, Source},
    supervisor::chain,
    sys::{
        accounts::Account,
        fs::{self, Access},
        process::{self, Errand},
    },
};

/// What helm takes where no chart says: its own usual time.
const USUAL: Duration = Duration::from_secs(300);
/// What a list of charts may take.
const LIST: Duration = Duration::from_secs(150);

/// A run of helm's for one release.
pub(super) struct Due {
    release: ReleaseRef,
    step: Step,
    order: Option<i32>,
    /// What the release is made from.
    print: String,
    words: Vec<String>,
    /// The repository whose list of charts it needs.
    repository: Option<String>,
    /// The values, and the file that helm reads them in.
    values: Option<(PathBuf, String)>,
    limit: Duration,
}

impl Yard {
    /// What is to be run now.
    pub(super) fn due(&self, jobs: &[Job], wanted: &[(&Chart, String)], now: Duration) -> Vec<Due> {
        let due = jobs.iter().filter_map(|job| {
            let wanted = wanted.iter().find(|(chart, _)| chart.release == job.release);
            let print = wanted.map(|(_, print)| print.as_str()).unwrap_or_default();
            self.patience.allows(&job.release, print, now).then(|| self.run_of(job, wanted)).flatten()
        });
        due.collect()
    }

    fn run_of(&self, job: &Job, wanted: Option<&(&Chart, String)>) -> Option<Due> {
        let release = job.release.clone();
        let (words, chart) = match (job.step, wanted) {
            (Step::Upgrade, Some((chart, print))) => {
                let words = charts::upgrade(chart, print, (&self.node, &self.site), &self.helm.repositories);
                (words, Some(*chart))
            }
            (Step::RollBack(revision), _) => (charts::roll_back(&release, revision), None),
            (Step::Uninstall, _) => (charts::uninstall(&release), None),
            (Step::Upgrade | Step::Leave | Step::Refuse, _) => return None,
        };
        let repository = chart.and_then(|chart| match &chart.source {
            Source::Repository { repository, .. } => Some(repository.clone()),
            Source::Url(_) | Source::Local(_) => None,
        });
        let values = chart.filter(|chart| !chart.values.is_empty());
        let values = values.map(|chart| (self.site.values(&release), chart.values.clone()));
        let print = wanted.map(|(_, print)| print.clone()).unwrap_or_default();
        let limit = charts::limit(wanted.map_or(USUAL, |(chart, _)| chart.timeout.max(USUAL)));
        Some(Due { release, step: job.step, order: job.order, print, words, repository, values, limit })
    }

    /// Fetches the lists of charts that are needed. Without the newest, the one from before is good enough.
    pub(super) async fn refresh(&mut self, due: &[Due]) {
        let needed: BTreeSet<&String> = due.iter().filter_map(|due| due.repository.as_ref()).collect();
        for repository in needed {
            match run(self.errand(charts::refresh(repository), LIST)).await {
                Ok(()) => drop(self.stale.remove(repository)),
                Err(error) if self.stale.insert(repository.clone()) => {
                    tracing::warn!(repository, error, "its list of charts is as old as before");
                }
                Err(_) => {}
            }
        }
    }

    /// Runs what is due, one order after the other. What fails does not keep others waiting.
    pub(super) async fn stages(&mut self, due: Vec<Due>) {
        let mut due = due.into_iter().peekable();
        while let Some(first) = due.next() {
            let order = first.order;
            let mut stage = vec![first];
            while let Some(next) = due.next_if(|next| next.order == order) {
                stage.push(next);
            }
            self.stage(stage).await;
        }
    }

    async fn stage(&mut self, stage: Vec<Due>) {
        let permits = Arc::new(Semaphore::new(self.helm.at_once.get().into()));
        let mut running = JoinSet::new();
        for due in stage {
            let (permits, board) = (Arc::clone(&permits), self.board.clone());
            let errand = self.errand(due.words.clone(), due.limit);
            running.spawn(async move {
                let _permit = permits.acquire().await;
                let state = if due.order.is_some() { ChartState::Working } else { ChartState::Removing };
                show_one(&board, &due.release, (state, None));
                let done = bring(&due, errand).await;
                (due, done)
            });
        }
        while let Some(ended) = running.join_next().await {
            if let Ok((due, done)) = ended {
                self.ended(&due, done);
            }
        }
    }

    fn ended(&mut self, due: &Due, done: Result<(), String>) {
        let Due { release, step, print, .. } = due;
        match done {
            Ok(()) => {
                tracing::info!(chart = %release, "{}", done_word(*step));
                self.patience.done(release);
                let state = if *step == Step::Upgrade { ChartState::Deployed } else { ChartState::Waiting };
                show_one(&self.board, release, (state, None));
            }
            Err(why) => {
                if self.patience.failed(release, (print, &why), self.clock.elapsed()) {
                    tracing::warn!(chart = %release, error = why, "chart not {}", done_word(*step));
                }
                show_one(&self.board, release, (ChartState::Failed, Some(&why)));
            }
        }
    }

    fn errand(&self, args: Vec<String>, limit: Duration) -> Errand {
        let env = charts::environment(&self.site).into_iter().map(|(name, value)| (name, OsString::from(value)));
        Errand { program: self.program.clone(), args, env: env.collect(), folder: self.site.cache.clone(), limit }
    }
}

const fn done_word(step: Step) -> &'static str {
    match step {
        Step::RollBack(_) => "rolled back",
        Step::Uninstall => "removed",
        Step::Upgrade | Step::Leave | Step::Refuse => "installed",
    }
}

/// Values are there for as long as helm needs them.
async fn bring(due: &Due, errand: Errand) -> Result<(), String> {
    let file = |done: Result<(), fs::FsError>| done.map_err(|error| chain(&error));
    if let Some((path, text)) = &due.values {
        file(fs::write(path, text.as_bytes(), Access::Private, Account::ROOT))?;
    }
    let done = run(errand).await;
    if let Some((path, _)) = &due.values {
        file(fs::remove_file(path))?;
    }
    done
}

async fn run(errand: Errand) -> Result<(), String> {
    let said = process::bounded(errand).await.map_err(|error| chain(&error))?;
    if said.code == Some(0) { Ok(()) } else { Err(charts::complaint(&said.out, &said.err)) }
}
