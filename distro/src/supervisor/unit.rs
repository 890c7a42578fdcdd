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

/// When a component that has not been ready in this life is looked at again.
const EAGER: Duration = Duration::from_millis(100);
/// When one that was ready, and is not now, is looked at again.
const WORRIED: Duration = Duration::from_secs(1);
/// When a ready one is looked at again.
const CALM: Duration = Duration::from_secs(10);
/// How long one that was ready may give no answer at all. It is ended then, however well its process seems: nobody is there to
/// do it. One that answers that it is not ready works on its own case.
const SILENCE: Duration = Duration::from_secs(120);
/// A look is work for who is looked at: it may take up at most one part of so many of the time, so that whoever looks does not
/// hold up a start on a slow machine.
const SHARE: u32 = 10;
/// The longest pause that comes of that.
const PATIENT: Duration = Duration::from_secs(3);

/// Whether a look at a component is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Next(Duration),
    Since(Duration),
}

/// What becomes of a process that is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Again,
    Never,
}

/// What is known of a life's readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    NotYet,
    Since(Duration),
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Spawning,
    Running { stage: Stage, look: Look, ready: Readiness },
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
    /// Since when it gives no answer, after having been ready in this life.
    pub silent: Option<Duration>,
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
            silent: None,
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
        let State::Running { stage, look, ready } = &mut self.state else { return };
        *stage = found;
        self.why = why;
        *ready = match (*ready, found) {
            (Readiness::Since(since), Stage::Ready) => Readiness::Since(since),
            (_, Stage::Ready) => Readiness::Since(now),
            (Readiness::NotYet, _) => Readiness::NotYet,
            _ => Readiness::Lost,
        };
        self.silent = match (found, *ready) {
            (Stage::Started, Readiness::Lost) => self.silent.or(Some(now)),
            _ => None,
        };
        let took = match *look {
            Look::Since(began) => now.saturating_sub(began),
            Look::Next(_) => Duration::ZERO,
        };
        let pause = match ready {
            Readiness::NotYet => EAGER,
            Readiness::Since(_) => CALM,
            Readiness::Lost => WORRIED,
        };
        *look = Look::Next(now + pause.max(took.saturating_mul(SHARE - 1).min(PATIENT)));
        self.was_ready |= found == Stage::Ready;
    }

    /// Whether it has given no answer for so long that none is to be hoped for.
    pub fn is_hung(&self, now: Duration) -> bool {
        matches!(self.state, State::Running { .. }) && self.silent.is_some_and(|since| now >= since + SILENCE)
    }

    /// Takes in its end, wanted or not.
    pub fn ended(&mut self, now: Duration, how: String) {
        self.pid = None;
        self.silent = None;
        self.why.clear();
        if let State::Running { ready: Readiness::Since(since), .. } = self.state
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
