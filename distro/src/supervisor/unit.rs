//! One supervised process as the state machine sees it.

use std::time::Duration;

use skerry_formats::status::ComponentState;

use super::backoff;
use crate::component::{ComponentId, ComponentSpec, Need, Stage};

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Please.
    Term,
    /// At once.
    Kill,
}

/// When a component that is not ready is looked at again.
const EAGER: Duration = Duration::from_millis(100);
/// When one that was ready, and is not now, is looked at again.
const WORRIED: Duration = Duration::from_secs(1);
/// When a ready one is looked at again.
const CALM: Duration = Duration::from_secs(10);

/// Whether a look at a component is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Next(Duration),
    Now,
}

/// What becomes of a process that is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Again,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Spawning,
    Running { stage: Stage, look: Look, ready_since: Option<Duration> },
    Ending { kill_at: Option<Duration>, then: Then },
    BackOff { until: Duration },
    Stopped,
}

#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub id: ComponentId,
    pub needs: Vec<Need>,
    pub grace: Duration,
    pub state: State,
    pub pid: Option<u32>,
    /// Counts lives, so that an answer about an earlier one is not taken for one about this.
    pub life: u32,
    pub failures: u32,
    pub was_ready: bool,
    pub why: String,
    pub last_exit: Option<String>,
}

impl Unit {
    pub fn new(spec: &ComponentSpec) -> Self {
        Self {
            id: spec.id,
            needs: spec.needs.clone(),
            grace: spec.grace,
            state: State::Waiting,
            pid: None,
            life: 0,
            failures: 0,
            was_ready: false,
            why: String::new(),
            last_exit: None,
        }
    }

    /// How far it has come; `None` while it does not run.
    pub const fn stage(&self) -> Option<Stage> {
        match self.state {
            State::Running { stage, .. } => Some(stage),
            _ => None,
        }
    }

    pub fn is_ready(&self) -> bool {
        self.stage() == Some(Stage::Ready)
    }

    pub const fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped)
    }

    /// Takes in the answer of a look.
    pub fn looked(&mut self, now: Duration, found: Stage, why: String) {
        let State::Running { stage, look, ready_since } = &mut self.state else { return };
        *stage = found;
        self.why = why;
        if found == Stage::Ready {
            let since = *ready_since.get_or_insert(now);
            self.was_ready = true;
            if now.saturating_sub(since) >= backoff::STABLE {
                self.failures = 0;
            }
            *look = Look::Next(now + CALM);
        } else {
            *ready_since = None;
            *look = Look::Next(now + if self.was_ready { WORRIED } else { EAGER });
        }
    }

    /// Takes in its end, wanted or not.
    pub fn ended(&mut self, now: Duration, how: String) {
        self.pid = None;
        self.why.clear();
        if let State::Running { ready_since: Some(since), .. } = self.state
            && now.saturating_sub(since) >= backoff::STABLE
        {
            self.failures = 0;
        }
        self.state = match self.state {
            State::Ending { then: Then::Never, .. } => State::Stopped,
            State::Ending { then: Then::Again, .. } => State::Waiting,
            _ => {
                self.failures = self.failures.saturating_add(1);
                State::BackOff { until: now + backoff::pause(self.failures) }
            }
        };
        self.last_exit = Some(how);
    }

    /// When it next needs attention of its own accord.
    pub const fn wake(&self) -> Option<Duration> {
        match self.state {
            State::Running { look: Look::Next(at), .. } => Some(at),
            State::Ending { kill_at, .. } => kill_at,
            State::BackOff { until } => Some(until),
            _ => None,
        }
    }

    pub fn public_state(&self) -> ComponentState {
        match self.state {
            State::Waiting => ComponentState::Waiting,
            State::Running { stage: Stage::Ready, .. } => ComponentState::Ready,
            State::Spawning | State::Running { .. } => ComponentState::Starting,
            State::BackOff { .. } => ComponentState::BackOff,
            State::Ending { .. } | State::Stopped => ComponentState::Stopped,
        }
    }
}
