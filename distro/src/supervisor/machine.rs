//! The supervisor's decisions: `step(now, event) -> effects`, without clock, process or socket.

use std::time::Duration;

use skerry_formats::status;

use super::unit::{Look, Readiness, Signal, State, Then, Unit};
use crate::component::{ComponentId, ComponentSpec, Stage};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Time passed.
    Tick,
    /// A process runs.
    Spawned {
        /// Which component.
        id: ComponentId,
        /// Its process id.
        pid: u32,
    },
    /// A process could not be started.
    SpawnFailed {
        /// Which component.
        id: ComponentId,
        /// Why, in plain words.
        why: String,
    },
    /// A look at a component ended.
    Looked {
        /// Which component.
        id: ComponentId,
        /// Which life of it was looked at, as in [`Effect::Look`].
        life: u32,
        /// How far it has come.
        stage: Stage,
        /// What it waits for, in plain words.
        why: String,
    },
    /// A process ended.
    Exited {
        /// Which component.
        id: ComponentId,
        /// How, in plain words.
        how: String,
    },
    /// A component is to end and start again: it must read something new.
    Restart(ComponentId),
    /// All is to end, in reverse order.
    Stop(Pods),
    /// All containers have ended, or will not.
    PodsEnded,
}

/// What becomes of pods when all ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pods {
    /// They run on.
    Stay,
    /// They end once nobody starts them again, and before containerd does.
    End,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the process; [`Event::Spawned`] or [`Event::SpawnFailed`] is the answer.
    Spawn(ComponentId),
    /// Look how far it has come; [`Event::Looked`] with the same life is the answer.
    Look {
        /// Which component.
        id: ComponentId,
        /// Which life of it.
        life: u32,
    },
    /// Signal the process.
    Signal {
        /// Which component.
        id: ComponentId,
        /// How.
        signal: Signal,
    },
    /// It does all it is there for, for the first time in this life.
    Ready(ComponentId),
    /// It gave no answer for too long, and is ended.
    Hung(ComponentId),
    /// End all containers; [`Event::PodsEnded`] is the answer.
    EndPods,
}

/// An event that cannot have happened: the driver and the machine disagree.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{id}`: {what} while it was {state}")]
pub struct IllegalEvent {
    id: ComponentId,
    what: &'static str,
    state: &'static str,
}

/// All units of a node.
#[derive(Clone, Debug)]
pub struct Machine {
    units: Vec<Unit>,
    stopping: bool,
    pods: Ending,
}

/// How far the end of pods has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nobody asked for it, or it is over.
    Settled,
    Wanted,
    Begun,
}

impl Machine {
    /// A machine with nothing started yet; the first [`Event::Tick`] starts it. A component comes after those it needs.
    #[must_use]
    pub fn new(specs: &[ComponentSpec]) -> Self {
        Self { units: specs.iter().map(Unit::new).collect(), stopping: false, pods: Ending::Settled }
    }

    /// Takes in an event and says what follows from it.
    ///
    /// # Errors
    /// If the event cannot have happened.
    pub fn step(&mut self, now: Duration, event: Event) -> Result<Vec<Effect>, IllegalEvent> {
        let mut effects = Vec::new();
        self.take_in(now, event, &mut effects)?;
        self.settle(now, &mut effects);
        Ok(effects)
    }

    /// When a [`Event::Tick`] is wanted, if nothing else happens before.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        self.units.iter().filter_map(Unit::wake).min()
    }

    /// A component's process, while it has one.
    #[must_use]
    pub fn pid(&self, id: ComponentId) -> Option<u32> {
        self.units.iter().find(|unit| unit.id == id).and_then(|unit| unit.pid)
    }

    /// Whether everything has ended after a [`Event::Stop`].
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stopping && self.units.iter().all(Unit::is_stopped)
    }

    /// The whole in one word.
    #[must_use]
    pub fn phase(&self) -> status::Phase {
        if self.stopping {
            status::Phase::Stopping
        } else if self.units.iter().all(Unit::is_ready) {
            status::Phase::Ready
        } else if self.units.iter().all(|unit| unit.was_ready) {
            status::Phase::Degraded
        } else {
            status::Phase::Starting
        }
    }

    /// What is waited for, in plain words.
    #[must_use]
    pub fn waiting_for(&self) -> String {
        let reason = |unit: &Unit| match (&unit.why, &unit.last_exit) {
            (why, _) if !why.is_empty() => format!("{}: {why}", unit.id),
            (_, Some(exit)) if unit.pid.is_none() => format!("{}: {exit}", unit.id),
            _ => unit.id.to_string(),
        };
        let open = |unit: &&Unit| !unit.is_ready() && unit.state != State::Waiting;
        self.units.iter().filter(open).map(reason).collect::<Vec<_>>().join(", ")
    }

    /// Every unit for the status.
    #[must_use]
    pub fn report(&self) -> Vec<status::Component> {
        let component = |unit: &Unit| status::Component {
            name: unit.id.as_str().to_owned(),
            state: unit.public_state(),
            pid: unit.pid,
            restarts: unit.life.saturating_sub(1),
            last_exit: unit.last_exit.clone(),
        };
        self.units.iter().map(component).collect()
    }

    fn take_in(&mut self, now: Duration, event: Event, effects: &mut Vec<Effect>) -> Result<(), IllegalEvent> {
        match event {
            Event::Tick => {}
            Event::Stop(pods) => {
                self.pods = match (pods, self.stopping) {
                    (Pods::End, false) => Ending::Wanted,
                    // Who asks again is in a hurry.
                    _ => Ending::Settled,
                };
                self.stopping = true;
            }
            Event::PodsEnded => self.pods = Ending::Settled,
            Event::Spawned { id, pid } => {
                let unit = self.unit(id, "spawned", |state| matches!(state, State::Spawning))?;
                unit.pid = Some(pid);
                unit.state = State::Running { stage: Stage::Started, look: Look::Next(now), ready: Readiness::NotYet };
            }
            Event::SpawnFailed { id, why } => {
                self.unit(id, "failed to spawn", |state| matches!(state, State::Spawning))?.ended(now, why);
            }
            Event::Exited { id, how } => {
                let lives = |state: &State| matches!(state, State::Running { .. } | State::Ending { .. });
                self.unit(id, "exited", lives)?.ended(now, how);
            }
            Event::Looked { id, life, stage, why } => {
                let unit = self.unit(id, "was looked at", |_| true)?;
                if unit.life == life {
                    let before = unit.stage();
                    unit.looked(now, stage, why);
                    if unit.is_ready() && before != Some(Stage::Ready) {
                        effects.push(Effect::Ready(id));
                    }
                    if unit.is_hung(now) {
                        unit.state = State::Ending { kill_at: None, then: Then::Again };
                        effects.extend([Effect::Hung(id), Effect::Signal { id, signal: Signal::Kill }]);
                    }
                }
            }
            Event::Restart(id) => {
                let unit = self.unit(id, "was to restart", |_| true)?;
                if matches!(unit.state, State::Running { .. }) {
                    unit.state = State::Ending { kill_at: Some(now + unit.grace), then: Then::Again };
                    effects.push(Effect::Signal { id, signal: Signal::Term });
                }
            }
        }
        Ok(())
    }

    fn unit(
        &mut self,
        id: ComponentId,
        what: &'static str,
        legal: impl Fn(&State) -> bool,
    ) -> Result<&mut Unit, IllegalEvent> {
        let unit =
            self.units.iter_mut().find(|unit| unit.id == id).ok_or(IllegalEvent { id, what, state: "unknown" })?;
        if legal(&unit.state) {
            return Ok(unit);
        }
        let state = match unit.state {
            State::Waiting => "waiting",
            State::Spawning => "being spawned",
            State::Running { .. } => "running",
            State::Ending { .. } => "ending",
            State::BackOff { .. } => "backing off",
            State::Stopped => "stopped",
        };
        Err(IllegalEvent { id, what, state })
    }

    /// Does all that time and the others' states allow now.
    fn settle(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let count = self.units.len();
        for step in 0..count {
            // What is needed comes before what needs it, so winding down goes backwards.
            let index = if self.stopping { count - 1 - step } else { step };
            if self.stopping {
                self.wind_down(index, now, effects);
            } else {
                self.wind_up(index, effects, now);
            }
            let unit = &mut self.units[index];
            if let State::Ending { kill_at: Some(at), then } = unit.state
                && at <= now
            {
                unit.state = State::Ending { kill_at: None, then };
                effects.push(Effect::Signal { id: unit.id, signal: Signal::Kill });
            }
        }
    }

    fn wind_up(&mut self, index: usize, effects: &mut Vec<Effect>, now: Duration) {
        let met = |unit: &Unit| {
            unit.needs.iter().all(|need| {
                let other = self.units.iter().find(|other| other.id == need.component);
                other.is_some_and(|other| other.stage() >= Some(need.stage))
            })
        };
        let may_start = met(&self.units[index]);
        let unit = &mut self.units[index];
        if matches!(unit.state, State::BackOff { until } if until <= now) {
            unit.state = State::Waiting;
        }
        match &mut unit.state {
            State::Waiting if may_start => {
                unit.state = State::Spawning;
                unit.life += 1;
                effects.push(Effect::Spawn(unit.id));
            }
            State::Running { look: look @ Look::Next(_), .. } => {
                if matches!(look, Look::Next(at) if *at <= now) {
                    *look = Look::Since(now);
                    effects.push(Effect::Look { id: unit.id, life: unit.life });
                }
            }
            _ => {}
        }
    }

    /// A unit ends when nothing that needs it runs any more.
    fn wind_down(&mut self, index: usize, now: Duration, effects: &mut Vec<Effect>) {
        let id = self.units[index].id;
        let needed =
            self.units.iter().any(|other| !other.is_stopped() && other.needs.iter().any(|need| need.component == id));
        let held = id == ComponentId::Containerd && self.pods != Ending::Settled;
        let unit = &mut self.units[index];
        match unit.state {
            State::Waiting | State::BackOff { .. } => unit.state = State::Stopped,
            State::Ending { kill_at, then: Then::Again } => unit.state = State::Ending { kill_at, then: Then::Never },
            State::Running { .. } if !needed && self.pods == Ending::Wanted && held => {
                self.pods = Ending::Begun;
                effects.push(Effect::EndPods);
            }
            State::Running { .. } if held => {}
            State::Running { .. } if !needed => {
                unit.state = State::Ending { kill_at: Some(now + unit.grace), then: Then::Never };
                effects.push(Effect::Signal { id, signal: Signal::Term });
            }
            _ => {}
        }
    }
}
