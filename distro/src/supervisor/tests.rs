//! The machine, against itself: whatever happens in whatever order, what must hold holds.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use skerry_formats::status::Phase;

use super::{Effect, Event, Machine, Pods, Signal};
use crate::{
    component::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
    sys::{accounts::Account, cgroup::Limits},
};

const IDS: [ComponentId; 4] =
    [ComponentId::Kine, ComponentId::KubeApiserver, ComponentId::Containerd, ComponentId::Kubelet];

const GRACE: Duration = Duration::from_secs(2);

fn spec(id: ComponentId, needs: Vec<Need>) -> ComponentSpec {
    ComponentSpec {
        id,
        program: "/bin/true".into(),
        args: Vec::new(),
        env: Vec::new(),
        account: Account::ROOT,
        limits: Limits { memory_high_mib: 1, cpu_weight: 100, cpu_weight_at_start: 100 },
        needs,
        probe: Probe::Api,
        grace: GRACE,
        scope: KillScope::Group,
        handover: None,
    }
}

fn need(component: ComponentId) -> Need {
    Need { component, stage: Stage::Ready }
}

fn chain() -> Vec<ComponentSpec> {
    vec![
        spec(ComponentId::Kine, vec![]),
        spec(ComponentId::KubeApiserver, vec![need(ComponentId::Kine)]),
        spec(ComponentId::Containerd, vec![]),
        spec(ComponentId::Kubelet, vec![need(ComponentId::KubeApiserver), need(ComponentId::Containerd)]),
    ]
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn looked(id: ComponentId, life: u32, stage: Stage) -> Event {
    Event::Looked { id, life, stage, why: String::new() }
}

fn exited(id: ComponentId) -> Event {
    Event::Exited { id, how: "exit status: 1".into() }
}

/// Starts the first component and makes it ready.
fn with_kine_ready(machine: &mut Machine) {
    machine.step(secs(0), Event::Tick).expect("legal");
    machine.step(secs(0), Event::Spawned { id: ComponentId::Kine, pid: 7 }).expect("legal");
    machine.step(secs(1), looked(ComponentId::Kine, 1, Stage::Ready)).expect("legal");
}

#[test]
fn what_needs_nothing_starts_at_once_and_together() {
    let effects = Machine::new(&chain()).step(secs(0), Event::Tick).expect("legal");
    assert_eq!(effects, [Effect::Spawn(ComponentId::Kine), Effect::Spawn(ComponentId::Containerd)]);
}

#[test]
fn what_needs_another_starts_when_that_is_ready() {
    let mut machine = Machine::new(&chain());
    machine.step(secs(0), Event::Tick).expect("legal");
    let looks = machine.step(secs(0), Event::Spawned { id: ComponentId::Kine, pid: 7 }).expect("legal");
    assert_eq!(looks, [Effect::Look { id: ComponentId::Kine, life: 1 }]);
    let early = machine.step(secs(1), looked(ComponentId::Kine, 1, Stage::Started)).expect("legal");
    assert_eq!(early, []);
    let ready = machine.step(secs(2), looked(ComponentId::Kine, 1, Stage::Ready)).expect("legal");
    assert_eq!(ready, [Effect::Ready(ComponentId::Kine), Effect::Spawn(ComponentId::KubeApiserver)]);
}

#[test]
fn a_crash_is_followed_by_a_pause_and_a_new_life() {
    let mut machine = Machine::new(&chain());
    with_kine_ready(&mut machine);
    assert_eq!(machine.step(secs(2), exited(ComponentId::Kine)).expect("legal"), []);
    let back = machine.step(secs(2) + Duration::from_millis(250), Event::Tick).expect("legal");
    assert_eq!(back, [Effect::Spawn(ComponentId::Kine)]);
    assert_eq!(machine.report()[0].restarts, 1);
}

#[test]
fn a_slow_answer_is_not_asked_for_again_at_once() {
    for (took, pause) in [(0, 100), (10, 100), (50, 450), (60_000, 3000)].map(|(a, b)| (millis(a), millis(b))) {
        let mut machine = Machine::new(&[spec(ComponentId::Kine, Vec::new())]);
        machine.step(secs(1), Event::Tick).expect("legal");
        let effects = machine.step(secs(1), Event::Spawned { id: ComponentId::Kine, pid: 1 }).expect("legal");
        assert!(effects.contains(&Effect::Look { id: ComponentId::Kine, life: 1 }), "{effects:?}");
        machine.step(secs(1) + took, looked(ComponentId::Kine, 1, Stage::Listening)).expect("legal");
        assert_eq!(machine.wake(), Some(secs(1) + took + pause));
    }
}

#[test]
fn an_answer_about_an_earlier_life_is_not_taken_for_this_one() {
    let mut machine = Machine::new(&chain());
    with_kine_ready(&mut machine);
    machine.step(secs(2), exited(ComponentId::Kine)).expect("legal");
    machine.step(secs(3), Event::Tick).expect("legal");
    machine.step(secs(3), Event::Spawned { id: ComponentId::Kine, pid: 8 }).expect("legal");
    assert_eq!(machine.step(secs(3), looked(ComponentId::Kine, 1, Stage::Ready)).expect("legal"), []);
}

#[test]
fn long_readiness_forgives_past_failures() {
    let mut machine = Machine::new(&chain());
    let mut now = secs(0);
    machine.step(now, Event::Tick).expect("legal");
    for life in 1..=8 {
        machine.step(now, Event::Spawned { id: ComponentId::Kine, pid: life }).expect("legal");
        now += secs(1);
        machine.step(now, exited(ComponentId::Kine)).expect("legal");
        now += secs(40);
        machine.step(now, Event::Tick).expect("legal");
    }
    machine.step(now, Event::Spawned { id: ComponentId::Kine, pid: 9 }).expect("legal");
    machine.step(now, looked(ComponentId::Kine, 9, Stage::Ready)).expect("legal");
    now += secs(61);
    machine.step(now, exited(ComponentId::Kine)).expect("legal");
    assert_eq!(machine.wake(), Some(now + Duration::from_millis(250)));
}

#[test]
fn what_was_ready_and_gives_no_answer_for_two_minutes_is_killed_and_starts_again() {
    let mut machine = Machine::new(&chain());
    with_kine_ready(&mut machine);
    let mut say = |at, stage| machine.step(secs(at), looked(ComponentId::Kine, 1, stage)).expect("legal");
    for at in (10..=129).step_by(7) {
        assert!(!say(at, Stage::Started).contains(&Effect::Hung(ComponentId::Kine)), "{at}");
    }
    let killed = say(130, Stage::Started);
    assert!(killed.contains(&Effect::Signal { id: ComponentId::Kine, signal: Signal::Kill }), "{killed:?}");
    let back = machine.step(secs(131), exited(ComponentId::Kine)).expect("legal");
    assert!(back.contains(&Effect::Spawn(ComponentId::Kine)), "{back:?}");
}

#[test]
fn what_answers_that_it_is_not_ready_is_left_to_itself() {
    let mut machine = Machine::new(&chain());
    with_kine_ready(&mut machine);
    for at in (10..600).step_by(50) {
        let stage = if at == 110 { Stage::Listening } else { Stage::Started };
        machine.step(secs(at), looked(ComponentId::Kine, 1, stage)).expect("legal");
        if at == 160 {
            assert_eq!(machine.pid(ComponentId::Kine), Some(7), "an answer in between begins the time anew");
            break;
        }
    }
}

#[test]
fn stopping_goes_from_what_needs_to_what_is_needed() {
    let mut machine = Machine::new(&chain()[..2]);
    with_kine_ready(&mut machine);
    machine.step(secs(1), Event::Spawned { id: ComponentId::KubeApiserver, pid: 9 }).expect("legal");
    let first = machine.step(secs(2), Event::Stop(Pods::Stay)).expect("legal");
    assert_eq!(first, [Effect::Signal { id: ComponentId::KubeApiserver, signal: Signal::Term }]);
    let late = machine.step(secs(2) + GRACE, Event::Tick).expect("legal");
    assert_eq!(late, [Effect::Signal { id: ComponentId::KubeApiserver, signal: Signal::Kill }]);
    let then = machine.step(secs(5), exited(ComponentId::KubeApiserver)).expect("legal");
    assert_eq!(then, [Effect::Signal { id: ComponentId::Kine, signal: Signal::Term }]);
    machine.step(secs(5), exited(ComponentId::Kine)).expect("legal");
    assert!(machine.is_over());
}

#[test]
fn containers_end_after_the_kubelet_and_before_containerd() {
    let mut machine = Machine::new(&[
        spec(ComponentId::Containerd, vec![]),
        spec(ComponentId::Kubelet, vec![need(ComponentId::Containerd)]),
    ]);
    machine.step(secs(0), Event::Tick).expect("legal");
    machine.step(secs(0), Event::Spawned { id: ComponentId::Containerd, pid: 7 }).expect("legal");
    machine.step(secs(0), looked(ComponentId::Containerd, 1, Stage::Ready)).expect("legal");
    machine.step(secs(0), Event::Spawned { id: ComponentId::Kubelet, pid: 9 }).expect("legal");
    let term = |id| Effect::Signal { id, signal: Signal::Term };
    assert_eq!(machine.step(secs(1), Event::Stop(Pods::End)).expect("legal"), [term(ComponentId::Kubelet)]);
    assert_eq!(machine.step(secs(2), exited(ComponentId::Kubelet)).expect("legal"), [Effect::EndPods]);
    assert_eq!(machine.step(secs(20), Event::Tick).expect("legal"), []);
    assert_eq!(machine.step(secs(21), Event::PodsEnded).expect("legal"), [term(ComponentId::Containerd)]);
}

#[test]
fn who_asks_again_does_not_wait_for_containers() {
    let mut machine = Machine::new(&[spec(ComponentId::Containerd, vec![])]);
    machine.step(secs(0), Event::Tick).expect("legal");
    machine.step(secs(0), Event::Spawned { id: ComponentId::Containerd, pid: 7 }).expect("legal");
    assert_eq!(machine.step(secs(1), Event::Stop(Pods::End)).expect("legal"), [Effect::EndPods]);
    let again = machine.step(secs(2), Event::Stop(Pods::End)).expect("legal");
    assert_eq!(again, [Effect::Signal { id: ComponentId::Containerd, signal: Signal::Term }]);
}

#[test]
fn an_end_of_what_does_not_run_is_illegal() {
    let mut machine = Machine::new(&chain());
    let error = machine.step(secs(0), exited(ComponentId::Kubelet)).expect_err("not running").to_string();
    assert_eq!(error, "`kubelet`: exited while it was waiting");
}

/// What the world may do next.
#[derive(Clone, Debug)]
enum Move {
    Wait(u64),
    Answer(Stage),
    Crash,
    FailToSpawn,
    Restart,
    Stop(Pods),
}

fn moves() -> impl Strategy<Value = Vec<(usize, Move)>> {
    let one = prop_oneof![
        4 => (0_u64..5000).prop_map(Move::Wait),
        6 => prop_oneof![Just(Stage::Started), Just(Stage::Listening), Just(Stage::Ready)].prop_map(Move::Answer),
        2 => Just(Move::Crash),
        1 => Just(Move::FailToSpawn),
        1 => Just(Move::Restart),
    ];
    proptest::collection::vec((0..IDS.len(), one), 0..120)
}

fn any_pods() -> impl Strategy<Value = Pods> {
    prop_oneof![Just(Pods::Stay), Just(Pods::End)]
}

fn graphs() -> impl Strategy<Value = Vec<ComponentSpec>> {
    proptest::collection::vec(any::<bool>(), 16).prop_map(|edges| {
        let spec_of = |index: usize| {
            let needs = (0..index).filter(|other| edges[index * 4 + other]).map(|other| need(IDS[other])).collect();
            spec(IDS[index], needs)
        };
        (0..IDS.len()).map(spec_of).collect()
    })
}

/// A world that does what the machine asks, and keeps count.
struct World {
    machine: Machine,
    specs: Vec<ComponentSpec>,
    now: Duration,
    alive: BTreeMap<ComponentId, bool>,
    looking: BTreeMap<ComponentId, u32>,
    refuse: bool,
}

impl World {
    fn new(specs: Vec<ComponentSpec>) -> Self {
        let machine = Machine::new(&specs);
        Self { machine, specs, now: secs(0), alive: BTreeMap::new(), looking: BTreeMap::new(), refuse: false }
    }

    fn give(&mut self, event: Event) {
        let mut queue = std::collections::VecDeque::from([event]);
        while let Some(event) = queue.pop_front() {
            for effect in self.machine.step(self.now, event).expect("the world is lawful") {
                match effect {
                    Effect::EndPods => queue.push_back(Event::PodsEnded),
                    Effect::Spawn(id) => {
                        assert!(!self.alive.contains_key(&id), "{id} was started twice");
                        self.assert_needs_were_met(id);
                        if self.refuse {
                            queue.push_back(Event::SpawnFailed { id, why: "no memory".into() });
                        } else {
                            self.alive.insert(id, false);
                            queue.push_back(Event::Spawned { id, pid: 1 });
                        }
                    }
                    Effect::Look { id, life } => {
                        self.looking.insert(id, life);
                    }
                    Effect::Signal { id, .. } => {
                        assert!(self.alive.contains_key(&id), "{id} is not there to be signalled")
                    }
                    Effect::Hung(id) => assert_eq!(self.alive.get(&id), Some(&false), "{id} works"),
                    Effect::Ready(id) => assert_eq!(self.alive.get(&id), Some(&true), "{id} never said so"),
                }
            }
        }
    }

    fn assert_needs_were_met(&self, id: ComponentId) {
        let spec = self.specs.iter().find(|spec| spec.id == id).expect("known");
        for need in &spec.needs {
            assert_eq!(self.alive.get(&need.component), Some(&true), "{id} before {}", need.component);
        }
    }

    fn play(&mut self, id: ComponentId, action: &Move) {
        match action {
            Move::Wait(millis) => {
                self.now += Duration::from_millis(*millis);
                self.give(Event::Tick);
            }
            Move::Answer(stage) => {
                if let (Some(life), true) = (self.looking.remove(&id), self.alive.contains_key(&id)) {
                    self.alive.insert(id, *stage == Stage::Ready);
                    self.give(looked(id, life, *stage));
                }
            }
            Move::Crash => {
                if self.alive.remove(&id).is_some() {
                    self.give(exited(id));
                }
            }
            Move::FailToSpawn => self.refuse = !self.refuse,
            Move::Restart => self.give(Event::Restart(id)),
            Move::Stop(pods) => self.give(Event::Stop(*pods)),
        }
    }

    /// Lets everything go well for a while.
    fn calm_down(&mut self) {
        self.refuse = false;
        for _ in 0..200 {
            self.now += Duration::from_millis(500);
            self.give(Event::Tick);
            for id in IDS {
                self.play(id, &Move::Answer(Stage::Ready));
            }
            // What was asked to end, ends.
            let ending: Vec<_> = self.machine.report().into_iter().zip(IDS).collect();
            for (report, id) in ending {
                let asked = report.state == skerry_formats::status::ComponentState::Stopped;
                if asked && self.alive.contains_key(&id) {
                    self.play(id, &Move::Crash);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn after_any_trouble_it_becomes_ready(specs in graphs(), moves in moves()) {
        let mut world = World::new(specs);
        world.give(Event::Tick);
        for (index, action) in &moves {
            world.play(IDS[*index], action);
        }
        world.calm_down();
        prop_assert_eq!(world.machine.phase(), Phase::Ready);
    }

    #[test]
    fn after_any_trouble_it_stops_and_leaves_nothing(specs in graphs(), moves in moves(), pods in any_pods()) {
        let mut world = World::new(specs);
        world.give(Event::Tick);
        for (index, action) in &moves {
            world.play(IDS[*index], action);
        }
        world.play(IDS[0], &Move::Stop(pods));
        world.calm_down();
        prop_assert!(world.machine.is_over());
        prop_assert!(world.alive.is_empty());
        prop_assert_eq!(world.machine.wake(), None);
    }

    #[test]
    fn it_never_sleeps_for_ever_while_something_is_amiss(specs in graphs(), moves in moves()) {
        let mut world = World::new(specs);
        world.give(Event::Tick);
        for (index, action) in &moves {
            world.play(IDS[*index], action);
            let pending = world.machine.wake().is_some() || !world.looking.is_empty();
            prop_assert!(pending || !world.alive.is_empty());
        }
    }
}
