//! The charts of the configuration, kept in the cluster as it says; of several controllers, the leader's.

mod run;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use skerry_formats::status::{ChartState, ChartStatus};
use tokio::sync::watch;

use super::{
    prepare::Prepared,
    tasks::{Failure, Told, blocking},
};
use crate::{
    api::Client,
    charts::{self, Contents, Job, Patience, RELEASES, Releases, Site, Step},
    config::{Chart, Helm, NodeName, ReleaseRef, Source},
    supervisor::{Board, Handle, chain},
    sys::{
        accounts::Account,
        clock::Stopwatch,
        fs::{self, Access, FsError},
    },
};

/// How often charts that are files are looked at.
const PERIOD: Duration = Duration::from_secs(5);
/// How often the cluster's releases are looked at when nothing changes here.
const LOOK: Duration = Duration::from_secs(30);

/// What charts are brought in with.
#[derive(Debug)]
pub struct Yard {
    helm: Arc<Helm>,
    node: NodeName,
    site: Site,
    /// The program that helm is a part of.
    program: PathBuf,
    api: watch::Receiver<Client>,
    board: Board,
    contents: Contents,
    patience: Patience,
    clock: Stopwatch,
    /// What was wanted when the cluster was last looked at, and when it is to be again.
    looked: (Vec<String>, Duration),
    /// Repositories whose lists could not be fetched, told once.
    stale: BTreeSet<String>,
}

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    More,
    Nothing,
}

/// Brings charts in for as long as the process lives; nothing is run and nothing asked where there are none and never were.
pub async fn follow(mut yard: Yard, leads: watch::Receiver<bool>, handle: &Handle) {
    if yard.helm.charts.is_empty() && !fs::exists(&yard.site.cache) {
        return;
    }
    yard.show_all(ChartState::Waiting);
    // What is dropped takes the helm that it runs along.
    tokio::select! {
        () = yard.keep(leads) => {}
        () = handle.stopping() => {}
    }
}

impl Yard {
    /// That of a node that was just made ready.
    pub fn new(node: &Prepared, api: &watch::Receiver<Client>, board: Board) -> Self {
        Self {
            helm: Arc::new(node.settings.helm.clone()),
            node: node.settings.node.clone(),
            site: Site::of(&node.paths),
            program: node.paths.components.join("clients"),
            api: api.clone(),
            board,
            contents: Contents::default(),
            patience: Patience::default(),
            clock: Stopwatch::start(),
            looked: (Vec::new(), Duration::ZERO),
            stale: BTreeSet::new(),
        }
    }

    async fn keep(&mut self, mut leads: watch::Receiver<bool>) {
        loop {
            if leads.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            let mut lost = leads.clone();
            tokio::select! {
                () = self.rounds() => return,
                _ = async { lost.wait_for(|leads| !*leads).await.is_ok() } => {}
            }
            // Another one brings in its own meanwhile: all is to be looked at anew when it is this one's turn again.
            self.looked = (Vec::new(), Duration::ZERO);
            self.patience = Patience::default();
            self.show_all(ChartState::Waiting);
        }
    }

    /// Until nothing is wanted and nothing is left.
    async fn rounds(&mut self) {
        let mut told = Told::default();
        loop {
            match self.round().await {
                Ok(Rest::Nothing) => return,
                Ok(Rest::More) => told.forget(),
                Err(error) => {
                    let error = chain(&*error);
                    if told.is_news(&error) {
                        tracing::warn!(error, "charts are not looked after");
                    }
                }
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn round(&mut self) -> Result<Rest, Failure> {
        let prints = self.prints().await?;
        let now = self.clock.elapsed();
        if self.looked.0 == prints && now < self.looked.1 {
            return Ok(Rest::More);
        }
        let there = self.look().await?;
        let helm = Arc::clone(&self.helm);
        let wanted: Vec<(&Chart, String)> = helm.charts.iter().zip(prints.iter().cloned()).collect();
        let jobs = charts::jobs(&wanted, &there, &self.node);
        self.show(&jobs);
        if jobs.is_empty() && wanted.is_empty() {
            fs::remove_tree(&self.site.cache)?;
            return Ok(Rest::Nothing);
        }
        self.refuse(&jobs);
        let due = self.due(&jobs, &wanted, now);
        self.looked = (prints, if due.is_empty() { now + LOOK } else { Duration::ZERO });
        if !due.is_empty() {
            self.lay_out()?;
            self.refresh(&due).await;
            self.stages(due).await;
        }
        Ok(Rest::More)
    }

    /// What each chart is made from. One that cannot be read is helm's to complain about.
    async fn prints(&mut self) -> Result<Vec<String>, Failure> {
        let (mut contents, helm) = (std::mem::take(&mut self.contents), Arc::clone(&self.helm));
        let (contents, prints) = blocking(move || {
            let mut print = |chart: &Chart| {
                let content = match &chart.source {
                    Source::Local(path) => contents.digest(path).unwrap_or_else(|error| {
                        tracing::debug!(error = %chain(&error), "a chart cannot be read");
                        None
                    }),
                    Source::Repository { .. } | Source::Url(_) => None,
                };
                charts::print(chart, &helm.repositories, content)
            };
            let prints = helm.charts.iter().map(&mut print).collect();
            Ok((contents, prints))
        })
        .await?;
        self.contents = contents;
        Ok(prints)
    }

    async fn look(&self) -> Result<Releases, Failure> {
        let client = self.api.borrow().clone();
        blocking(move || Ok(charts::releases(&client.metadata(RELEASES)?))).await
    }

    /// Tells once of releases that somebody else made.
    fn refuse(&mut self, jobs: &[Job]) {
        let now = self.clock.elapsed();
        for job in jobs.iter().filter(|job| job.step == Step::Refuse) {
            if self.patience.failed(&job.release, ("", charts::FOREIGN), now) {
                tracing::warn!(chart = %job.release, error = charts::FOREIGN, "chart left alone");
            }
        }
    }

    /// What helm reads, as the configuration says now.
    fn lay_out(&self) -> Result<(), FsError> {
        fs::create_folder(&self.site.cache, Access::Private, Account::ROOT)?;
        fs::create_folder(&self.site.private, Access::Private, Account::ROOT)?;
        let files = [
            (self.site.repositories(), charts::repositories(&self.helm.repositories)),
            (self.site.logins(), charts::logins(&self.helm.repositories)),
        ];
        for (path, text) in files {
            if fs::read_if_there(&path)?.as_deref() != Some(&text) {
                fs::write(&path, text.as_bytes(), Access::Private, Account::ROOT)?;
            }
        }
        Ok(())
    }

    /// Shows how charts are.
    fn show(&self, jobs: &[Job]) {
        let charts = charts::report(jobs, &self.patience);
        self.board.send_if_modified(|status| {
            let news = status.charts != charts;
            if news {
                Arc::make_mut(status).charts = charts;
            }
            news
        });
    }

    fn show_all(&self, state: ChartState) {
        let line = |chart: &Chart| ChartStatus { release: chart.release.to_string(), state, why: None };
        let charts: Vec<_> = self.helm.charts.iter().map(line).collect();
        self.board.send_modify(|status| Arc::make_mut(status).charts = charts);
    }
}

/// Shows how one chart is now.
fn show_one(board: &Board, release: &ReleaseRef, now: (ChartState, Option<&str>)) {
    let (name, why) = (release.to_string(), now.1.map(ToOwned::to_owned));
    board.send_modify(|status| {
        let charts = &mut Arc::make_mut(status).charts;
        if let Some(line) = charts.iter_mut().find(|line| line.release == name) {
            (line.state, line.why) = (now.0, why);
        }
    });
}
