//! Kubernetes as `sk8s status` tells it.

use std::time::Duration;

use skerry_formats::status::{self, ComponentState, Status};

use super::last_words::last_words;
use crate::{
    boot_report, chain,
    report::Phase,
    sys::{
        clock::{self, Deadline},
        process::Program,
    },
};

/// How often a ready node is asked: each question is a process.
const CALM: Duration = Duration::from_secs(10);
/// How many lives of a component are nothing to speak of.
const FEW: u32 = 3;

/// How many unanswered questions are more than a slow start.
const LONG: u32 = 30;

/// What is known of Kubernetes.
#[derive(Debug, Default)]
pub struct Kubernetes {
    status: Option<Status>,
    unanswered: Option<String>,
    last_words: Option<String>,
    silence: u32,
    calm: Option<Deadline>,
    was_ready: bool,
}

impl Kubernetes {
    /// Asks, and notes the moment when it is ready for the first time.
    pub fn look(&mut self, timeline: &mut Vec<boot_report::Phase>) {
        if self.calm.is_some_and(|calm| !calm.passed()) {
            return;
        }
        match ask() {
            Ok(status) => {
                self.unanswered = None;
                self.last_words = None;
                self.silence = 0;
                self.status = Some(status);
            }
            Err(why) => {
                self.unanswered = Some(why);
                self.last_words = last_words();
                self.silence = self.silence.saturating_add(1);
                self.status = None;
            }
        }
        self.calm = self.is_ready().then(|| Deadline::after(CALM));
        if self.is_ready() && !self.was_ready {
            self.was_ready = true;
            timeline.push(boot_report::Phase { name: "ready".into(), at_ms: clock::boot_ms() });
        }
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.phase == status::Phase::Ready)
    }

    /// Its phase; starting until it answers for the first time.
    pub fn phase(&self) -> Phase {
        match &self.status {
            Some(status) => status.phase.into(),
            None if self.was_ready => Phase::Degraded,
            None => Phase::Starting,
        }
    }

    /// What it waits for.
    pub fn waiting(&self) -> String {
        match &self.status {
            Some(status) => status.waiting_for.clone(),
            None => "sk8s".to_owned(),
        }
    }

    /// Components that end again and again, why sk8s ended, and why it does not answer once it did.
    pub fn errors(&self) -> Vec<String> {
        let ended = self
            .status
            .iter()
            .flat_map(|status| &status.components)
            .filter(|component| component.state == ComponentState::BackOff && component.restarts >= FEW);
        let ended = ended.map(|component| {
            let why = component.last_exit.as_deref().unwrap_or("unknown");
            format!("{} ends again and again: {why}", component.name)
        });
        let silent = match (&self.last_words, &self.unanswered) {
            (Some(words), Some(_)) => Some(format!("sk8s has ended: {words}")),
            (None, Some(why)) if self.was_ready || self.silence > LONG => Some(format!("sk8s does not answer: {why}")),
            _ => None,
        };
        ended.chain(silent).collect()
    }

    /// All that is known.
    pub const fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }
}

fn ask() -> Result<Status, String> {
    let said = Program::new("/usr/bin/sk8s").args(["status", "-o", "json"]).run();
    let said = said.map_err(|error| chain::one_line(&error))?;
    serde_json::from_str(&said).map_err(|error| format!("its status is unreadable: {error}"))
}
