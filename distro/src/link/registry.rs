//! The nodes that are linked with this controller now.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{call::Hello, mux::Opener};
use crate::config::NodeName;

/// A linked node.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Opens streams to it.
    pub opener: Opener,
    /// Where it is.
    pub hello: Hello,
    /// Which of its links this is.
    number: u64,
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
        state.nodes.insert(node.clone(), Linked { opener, hello, number });
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

    use super::Registry;
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
}
