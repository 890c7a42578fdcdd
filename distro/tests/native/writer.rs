//! Some who write all the time, and how each write went.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{eventually, moment, node::Node};

/// Several hands at once, each of which writes one object after the other at one controller.
#[derive(Default)]
pub struct Writer {
    stop: AtomicBool,
    writes: Mutex<Vec<Write>>,
}

/// One write, from before it was asked for until there was an answer, or two seconds were over.
struct Write {
    name: String,
    begun: Instant,
    ended: Instant,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Acknowledged,
    Refused,
}

/// Stops the hands when it goes, also where a test fails: they would be waited for.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Writer {
    /// Writes with one hand for each of `nodes` until `work`, which begins once writes are acknowledged, is done.
    pub fn during<T>(&self, nodes: &[&Node], work: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            let _stop = Stop(&self.stop);
            for (hand, node) in nodes.iter().enumerate() {
                scope.spawn(move || self.write(node, hand));
            }
            eventually("writes are acknowledged", || {
                let all = self.writes.lock().expect("whole");
                let done = all.iter().filter(|write| write.outcome == Outcome::Acknowledged).count();
                (done >= nodes.len()).then_some(())
            });
            work()
        })
    }

    fn write(&self, node: &Node, hand: usize) {
        while !self.stop.load(Ordering::SeqCst) {
            let (name, begun) = (format!("note-{hand}-{}", moment()), Instant::now());
            let words = ["kubectl", "--request-timeout=2s", "create", "configmap", &name, "--from-literal=n=1"];
            let done = node.sk8s(&words).status.success();
            let outcome = if done { Outcome::Acknowledged } else { Outcome::Refused };
            self.writes.lock().expect("whole").push(Write { name, begun, ended: Instant::now(), outcome });
        }
    }

    /// The longest time in which no write was acknowledged, between two moments.
    pub fn longest_pause(&self, between: (Instant, Instant)) -> Duration {
        longest_pause(&self.writes.lock().expect("whole"), between)
    }

    /// How many writes were refused that were under way or begun between two moments.
    pub fn refused(&self, (from, until): (Instant, Instant)) -> usize {
        let all = self.writes.lock().expect("whole");
        let there = all.iter().filter(|write| write.ended >= from && write.begun <= until);
        there.filter(|write| write.outcome == Outcome::Refused).count()
    }

    pub fn assert_nothing_lost(&self, node: &Node) {
        let there = node.said(&["get", "configmaps", "-o", "name"]);
        let there: BTreeSet<&str> = there.lines().map(|line| line.trim_start_matches("configmap/")).collect();
        let all = self.writes.lock().expect("whole");
        let names: Vec<&str> = all
            .iter()
            .filter(|write| write.outcome == Outcome::Acknowledged)
            .map(|write| write.name.as_str())
            .collect();
        let lost: Vec<_> = names.iter().filter(|name| !there.contains(*name)).collect();
        assert!(!names.is_empty() && lost.is_empty(), "{} acknowledged, lost: {lost:?}", names.len());
    }
}

/// A write that was begun before tells nothing: it may have been acknowledged before too, and its program have ended later.
fn longest_pause(writes: &[Write], (from, until): (Instant, Instant)) -> Duration {
    let counts = |write: &&Write| write.outcome == Outcome::Acknowledged && write.begun > from && write.ended < until;
    let mut moments: Vec<Instant> =
        writes.iter().filter(counts).map(|write| write.ended).chain([from, until]).collect();
    moments.sort();
    moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

#[test]
fn a_pause_is_between_writes_that_were_begun_in_it_and_acknowledged() {
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let write = |begun, ended, outcome| Write { name: String::new(), begun: at(begun), ended: at(ended), outcome };
    let pause = |writes: &[Write]| longest_pause(writes, (at(10), at(30))).as_secs();
    let (done, refused) = (Outcome::Acknowledged, Outcome::Refused);
    assert_eq!(pause(&[]), 20);
    assert_eq!(
        pause(&[write(9, 11, done), write(12, 14, refused), write(14, 16, refused)]),
        20,
        "from before, or refused"
    );
    assert_eq!(pause(&[write(11, 12, done), write(28, 29, done)]), 17, "the second outage is seen too");
    assert_eq!(pause(&[write(11, 12, done), write(18, 20, done), write(27, 28, done)]), 8);
}
