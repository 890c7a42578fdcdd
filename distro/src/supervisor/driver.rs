//! Does what the machine decides: the one place where it meets processes, the clock and sockets.

use std::{sync::Arc, time::Duration};

use nix::sys::signal::Signal as Posix;
use skerry_formats::{
    role::Role,
    status::{Moment, Phase, Status},
};
use tokio::sync::{mpsc, watch};

use super::{
    log::{self, LastWords},
    machine::{Effect, Event, IllegalEvent, Machine, Pods},
    probe,
    unit::Signal,
};
use crate::{
    api::Client,
    component::{ComponentId, ComponentSpec},
    paths::Paths,
    shutdown,
    sys::{cgroup, clock::Stopwatch, fs, process},
    version::VERSION,
};

/// What others ask of a running supervisor.
#[derive(Clone, Debug)]
pub enum Command {
    /// Start these components again with what they are now.
    Replace(Vec<ComponentSpec>),
    /// End everything but pods.
    Stop,
    /// End everything, as the machine is switched off. The paths lead to the node's containerd.
    SwitchOff(Paths),
}

/// Where the status is shown.
pub type Board = watch::Sender<Arc<Status>>;

/// The status before anything runs.
#[must_use]
pub fn board(role: Role, node: &str, waiting_for: &str) -> Board {
    let first = Status {
        version: VERSION.to_owned(),
        role,
        node: node.to_owned(),
        phase: Phase::Starting,
        waiting_for: waiting_for.to_owned(),
        components: Vec::new(),
        timeline: Vec::new(),
        charts: Vec::new(),
    };
    watch::Sender::new(Arc::new(first))
}

/// A running supervisor, to those who ask it things.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Arc<Status>>,
}

impl Handle {
    /// Asks for something; a supervisor that is gone does nothing any more.
    pub async fn ask(&self, command: Command) {
        if self.commands.send(command).await.is_err() {
            tracing::debug!("the supervisor is gone");
        }
    }

    /// Waits until everything is being ended.
    pub async fn stopping(&self) {
        let mut status = self.status.clone();
        // Without a supervisor everything has ended.
        let _over = status.wait_for(|status| status.phase == Phase::Stopping).await;
    }

    /// Waits until a component has been ready.
    pub async fn ready(&self, id: ComponentId) {
        let event = ready_event(id);
        let mut status = self.status.clone();
        let seen = status.wait_for(|status| status.timeline.iter().any(|moment| moment.event == event)).await.is_ok();
        if !seen {
            std::future::pending::<()>().await;
        }
    }
}

fn ready_event(id: ComponentId) -> String {
    format!("{id} ready")
}

/// The longest timeline that is kept: starts and restarts of a bad day.
const TIMELINE: usize = 64;

/// A supervisor and its machine.
#[derive(Debug)]
pub struct Driver {
    machine: Machine,
    specs: Vec<ComponentSpec>,
    home: Option<cgroup::Home>,
    client: watch::Receiver<Client>,
    clock: Stopwatch,
    events: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    commands: mpsc::Receiver<Command>,
    status: Board,
    paths: Option<Paths>,
}

impl Driver {
    /// A supervisor of components that have not been started.
    #[must_use]
    pub fn new(
        specs: Vec<ComponentSpec>,
        client: watch::Receiver<Client>,
        clock: Stopwatch,
        status: Board,
    ) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(8);
        let machine = Machine::new(&specs);
        let handle = Handle { commands: sender, status: status.subscribe() };
        let home = cgroup::Home::claim();
        let events = mpsc::channel(64);
        (Self { machine, specs, home, client, clock, events, commands, status, paths: None }, handle)
    }

    /// Runs until everything has ended after [`Command::Stop`] or [`Command::SwitchOff`].
    pub async fn run(mut self) {
        self.step(Event::Tick);
        while !self.machine.is_over() {
            let pause =
                self.machine.wake().map_or(Duration::from_secs(60), |at| at.saturating_sub(self.clock.elapsed()));
            tokio::select! {
                Some(event) = self.events.1.recv() => self.step(event),
                Some(command) = self.commands.recv() => self.obey(command),
                () = tokio::time::sleep(pause) => self.step(Event::Tick),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Stop => self.step(Event::Stop(Pods::Stay)),
            Command::SwitchOff(paths) => {
                self.paths = Some(paths);
                self.step(Event::Stop(Pods::End));
            }
            Command::Replace(specs) => {
                for spec in specs {
                    let id = spec.id;
                    if let Some(place) = self.specs.iter_mut().find(|place| place.id == id) {
                        *place = spec;
                        self.note(format!("{id} restarts for new settings"));
                        self.step(Event::Restart(id));
                    }
                }
            }
        }
    }

    fn step(&mut self, event: Event) {
        let mut queue = std::collections::VecDeque::from([event]);
        while let Some(event) = queue.pop_front() {
            match self.machine.step(self.clock.elapsed(), event) {
                Ok(effects) => queue.extend(effects.into_iter().filter_map(|effect| self.carry_out(effect))),
                Err(error) => complain(&error),
            }
        }
        self.publish();
    }

    /// Carries out an effect; some are answered at once.
    fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Spawn(id) => Some(self.spawn(id)),
            Effect::Look { id, life } => {
                self.look(id, life);
                None
            }
            Effect::Signal { id, signal } => {
                let signal = match signal {
                    Signal::Term => Posix::SIGTERM,
                    Signal::Kill => Posix::SIGKILL,
                };
                let pid = self.machine.pid(id);
                if let (Some(pid), Some(spec)) = (pid, self.spec(id)) {
                    process::signal(pid, spec.scope, signal);
                }
                None
            }
            Effect::Ready(id) => {
                self.note(ready_event(id));
                if let (Some(home), Some(spec)) = (&self.home, self.spec(id))
                    && let Err(error) = home.weigh(id.as_str(), spec.limits.cpu_weight)
                {
                    tracing::warn!(component = %id, %error, "keeps the share of a start");
                }
                None
            }
            Effect::Hung(id) => {
                tracing::error!(component = %id, "no answer for two minutes: killed");
                self.note(format!("{id} gave no answer: killed"));
                None
            }
            Effect::EndPods => {
                self.end_pods();
                None
            }
        }
    }

    fn spec(&self, id: ComponentId) -> Option<&ComponentSpec> {
        self.specs.iter().find(|spec| spec.id == id)
    }

    fn spawn(&self, id: ComponentId) -> Event {
        let Some(spec) = self.spec(id) else {
            return Event::SpawnFailed { id, why: "unknown component".to_owned() };
        };
        if let Some(home) = &self.home
            && let Err(error) = home.prepare(id.as_str(), spec.limits, spec.scope)
        {
            tracing::warn!(component = %id, %error, "no control group");
        }
        let mut child = match process::start(spec) {
            Ok(child) => child,
            Err(error) => return Event::SpawnFailed { id, why: chain(&error) },
        };
        if let Some(home) = &self.home
            && let Err(error) = home.adopt(id.as_str(), child.pid)
        {
            tracing::warn!(component = %id, %error, "not in its control group");
        }
        let (pid, words) = (child.pid, LastWords::default());
        let out = child.process.stdout.take().map(|stream| tokio::spawn(log::pump(id, stream, words.clone())));
        let err = child.process.stderr.take().map(|stream| tokio::spawn(log::pump(id, stream, words.clone())));
        let events = self.events.0.clone();
        tokio::spawn(async move {
            let status = child.process.wait().await;
            // What it started may hold its streams open for ever: its last words come at once or not at all.
            for pump in [out, err].into_iter().flatten() {
                let _ = tokio::time::timeout(Duration::from_millis(100), pump).await;
            }
            let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            let _ = events.send(Event::Exited { id, how: words.after(how) }).await;
        });
        Event::Spawned { id, pid }
    }

    fn look(&self, id: ComponentId, life: u32) {
        let Some(spec) = self.spec(id).cloned() else { return };
        let (client, events) = (self.client.borrow().clone(), self.events.0.clone());
        let node = self.status.borrow().node.clone();
        tokio::task::spawn_blocking(move || {
            let found = probe::look(&spec.probe, &client, &node);
            let given = match &spec.handover {
                Some(handover) if found.why.is_empty() => fs::give(&handover.path, handover.to),
                _ => Ok(()),
            };
            if let Err(error) = given {
                tracing::warn!(component = %id, error = %chain(&error), "not handed over");
            }
            let _ = events.blocking_send(Event::Looked { id, life, stage: found.stage, why: found.why });
        });
    }

    fn end_pods(&self) {
        let (paths, events) = (self.paths.clone(), self.events.0.clone());
        tokio::task::spawn_blocking(move || {
            if let Some(paths) = paths {
                shutdown::end(&paths);
            }
            let _ = events.blocking_send(Event::PodsEnded);
        });
    }

    fn note(&self, event: String) {
        let at_ms = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(at_ms, "{event}");
        self.status.send_modify(|status| {
            let status = Arc::make_mut(status);
            if status.timeline.len() == TIMELINE {
                status.timeline.remove(TIMELINE / 2);
            }
            status.timeline.push(Moment { at_ms, event });
        });
    }

    fn publish(&self) {
        let before = self.status.borrow().phase;
        let phase = self.machine.phase();
        let (components, waiting_for) = (self.machine.report(), self.machine.waiting_for());
        self.status.send_if_modified(|status| {
            let same = status.phase == phase && status.components == components && status.waiting_for == waiting_for;
            if !same {
                let status = Arc::make_mut(status);
                status.phase = phase;
                status.waiting_for = if phase == Phase::Ready { String::new() } else { waiting_for };
                status.components = components;
            }
            !same
        });
        if before != phase {
            self.note(format!("node {}", word(phase)));
        }
    }
}

const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Ready => "ready",
        Phase::Degraded => "degraded",
        Phase::Stopping => "stopping",
    }
}

fn complain(error: &IllegalEvent) {
    tracing::error!(%error, "the supervisor lost track");
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
