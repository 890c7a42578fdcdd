//! The stacks that this installation of a controller applied, in a file of its own: only those does it take out of the cluster.
//!
//! The cluster knows which controller applied a stack by its name alone. One that was installed anew under the name of another finds
//! an empty folder, and must not take that for the will to remove everything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::stack::StackName;
use crate::config::NodeName;

/// The stacks that a controller applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Who: the list of another controller, copied here, says nothing about this one.
    pub node: NodeName,
    /// Their names.
    pub stacks: BTreeSet<StackName>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    node: NodeName,
    stacks: Vec<String>,
}

/// A list that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadList {
    /// No list.
    #[error("the list of applied stacks is damaged")]
    Json(#[from] serde_json::Error),
    /// Somebody else's.
    #[error("the list of applied stacks is that of `{0}`")]
    Another(NodeName),
}

impl List {
    /// That of a controller that has applied nothing.
    #[must_use]
    pub const fn new(node: NodeName) -> Self {
        Self { node, stacks: BTreeSet::new() }
    }

    /// Reads a controller's list.
    ///
    /// # Errors
    /// If the text is none, or another's.
    pub fn parse(text: &str, node: &NodeName) -> Result<Self, BadList> {
        let text: Text = serde_json::from_str(text)?;
        if text.node != *node {
            return Err(BadList::Another(text.node));
        }
        Ok(Self { node: text.node, stacks: text.stacks.iter().map(|name| StackName::of(name)).collect() })
    }

    /// The text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        let stacks: Vec<_> = self.stacks.iter().map(StackName::as_str).collect();
        format!("{:#}\n", serde_json::json!({ "node": self.node.as_str(), "stacks": stacks }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadList, List};
    use crate::manifests::StackName;

    proptest! {
        #[test]
        fn a_list_is_read_as_it_is_written(names in proptest::collection::vec("\\PC{0,60}", 0..5)) {
            let (barn, mill) = ("barn".parse().expect("a name"), "mill".parse().expect("a name"));
            let list = List { node: barn, stacks: names.iter().map(|name| StackName::of(name)).collect() };
            prop_assert_eq!(List::parse(&list.text(), &list.node).ok(), Some(list.clone()));
            prop_assert!(matches!(List::parse(&list.text(), &mill), Err(BadList::Another(_))));
        }

        #[test]
        fn any_text_is_a_list_or_refused(text in "\\PC{0,60}") {
            let _ = List::parse(&text, &"barn".parse().expect("a name"));
        }
    }
}
