//! The nodes that are linked with this controller now.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{call::Hello, mux::Opener};
use crate::config::NodeName;

/// How long a node that did not answer comes behind those that might: then it may have recovered.
const GRUDGE: Duration = Duration::from_secs(60);

/// A linked node.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Opens streams to it.
    pub opener: Opener,
    /// Where it is.
    pub hello: Hello,
    /// Which of its links this is.
    number: u64,
    /// When a call over this link was last left without an answer.
    silent: Option<Instant>,
}

/// What came of a call over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// The node answered, be it that it cannot connect.
    Answer,
    /// It did not, for so long that another was asked.
    Nothing,
}

/// All linked nodes.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    nodes: BTreeMap<NodeName, Linked>,
    count: u64,
}

/// A node's entry: it is gone when this is dropped, unless the node has linked again meanwhile.
#[derive(Debug)]
pub struct Entry {
    registry: Registry,
    node: NodeName,
    number: u64,
}

impl Registry {
    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a node. Its earlier link, if there is one, is the older news: it is forgotten.
    #[must_use]
    pub fn enter(&self, node: NodeName, opener: Opener, hello: Hello) -> Entry {
        let mut state = self.locked();
        state.count += 1;
        let number = state.count;
        state.nodes.insert(node.clone(), Linked { opener, hello, number, silent: None });
        Entry { registry: self.clone(), node, number }
    }

    /// The link to a node.
    #[must_use]
    pub fn find(&self, node: &NodeName) -> Option<Linked> {
        self.locked().nodes.get(node).cloned()
    }

    /// All that are linked now.
    #[must_use]
    pub fn all(&self) -> BTreeMap<NodeName, Linked> {
        self.locked().nodes.clone()
    }

    /// All that are linked now, in the order in which they are to be asked for what any of them could do.
    #[must_use]
    pub fn in_turn(&self) -> Vec<(NodeName, Linked)> {
        let is_silent = |linked: &Linked| linked.silent.is_some_and(|since| since.elapsed() < GRUDGE);
        let (silent, good): (Vec<_>, Vec<_>) = self.all().into_iter().partition(|(_, linked)| is_silent(linked));
        [good, silent].concat()
    }

    /// Remembers how a node's link did, for as long as it is the node's.
    pub fn note(&self, node: &NodeName, link: &Linked, came: Came) {
        if let Some(linked) = self.locked().nodes.get_mut(node)
            && linked.number == link.number
        {
            linked.silent = match came {
                Came::Answer => None,
                Came::Nothing => Some(Instant::now()),
            };
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.registry.locked();
        if state.nodes.get(&self.node).is_some_and(|linked| linked.number == self.number) {
            state.nodes.remove(&self.node);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::{Came, GRUDGE, Registry};
    use crate::link::{
        call::Hello,
        mux::{End, run},
    };

    #[test]
    fn the_end_of_an_old_link_does_not_end_the_new_one() {
        let registry = Registry::default();
        let opener = || run(tokio::io::duplex(64).0, End::Called, mpsc::channel(1).0).0;
        let node = || "barn".parse().expect("valid");
        let old = registry.enter(node(), opener(), Hello::default());
        let new = registry.enter(node(), opener(), Hello { addresses: vec![[192, 0, 2, 1].into()] });
        drop(old);
        assert_eq!(registry.find(&node()).expect("linked").hello.addresses.len(), 1);
        drop(new);
        assert!(registry.find(&node()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_did_not_answer_comes_last_for_a_while() {
        let registry = Registry::default();
        let opener = || run(tokio::io::duplex(64).0, End::Called, mpsc::channel(1).0).0;
        let enter = |node: &str| registry.enter(node.parse().expect("valid"), opener(), Hello::default());
        let order = || registry.in_turn().iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        let note = |came| {
            let barn = "barn".parse().expect("valid");
            registry.note(&barn, &registry.find(&barn).expect("linked"), came);
        };
        let entries = ["barn", "mill", "shed"].map(enter);
        assert_eq!(order(), ["barn", "mill", "shed"]);
        note(Came::Nothing);
        assert_eq!(order(), ["mill", "shed", "barn"]);
        tokio::time::advance(GRUDGE).await;
        assert_eq!(order(), ["barn", "mill", "shed"]);
        note(Came::Nothing);
        note(Came::Answer);
        assert_eq!(order(), ["barn", "mill", "shed"]);
        note(Came::Nothing);
        let old = registry.find(&"barn".parse().expect("valid")).expect("linked");
        let _again = enter("barn");
        assert_eq!(order(), ["barn", "mill", "shed"], "a new link has done nothing yet");
        registry.note(&"barn".parse().expect("valid"), &old, Came::Nothing);
        assert_eq!(order(), ["barn", "mill", "shed"], "that was the old one");
        drop(entries);
    }
}
