//! A seed's keys, each with the source that set it; layers are merged key by key.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_yaml_ng::{Mapping, Value};

use super::{line::line_of, path::KeyPath, problem::Source, schema, shape::Shape};

/// What one or more sources say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer(BTreeMap<String, Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// Keys below.
    Map(BTreeMap<String, Node>),
    /// A value that is replaced as a whole: a text, a number, a list.
    Value(Value, Place),
}

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: Source,
    pub(super) line: Option<usize>,
}

/// A key's value and origin, for people and for `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The key.
    pub key: String,
    /// Its value as compact YAML; secrets are not shown.
    pub value: String,
    /// The source that set it.
    pub source: Source,
    /// The line in the source.
    pub line: Option<usize>,
}

impl Layer {
    /// A layer of one source. Only keys in maps are told apart.
    pub(super) fn new(value: Value, from: (&Source, &str)) -> Self {
        match node(value, from, &KeyPath::default()) {
            Node::Map(map) => Self(map),
            Node::Value(..) => Self::default(),
        }
    }

    /// This layer over an earlier one: its keys win.
    #[must_use]
    pub fn over(self, earlier: Self) -> Self {
        Self(merge(earlier.0, self.0))
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key with its value and origin.
    #[must_use]
    pub fn explain(&self) -> Vec<Explained> {
        let mut lines = Vec::new();
        explain(&self.0, (&KeyPath::default(), &schema::SEED), &mut lines);
        lines
    }

    /// Where the value at a path was set; for a path into a list, where the list was.
    pub(super) fn place(&self, path: &[&str]) -> Option<&Place> {
        let (first, rest) = path.split_first()?;
        let mut node = self.0.get(*first)?;
        for key in rest {
            match node {
                Node::Map(map) => node = map.get(*key)?,
                Node::Value(..) => break,
            }
        }
        first_place(node)
    }

    /// All keys as one value.
    pub(crate) fn value(&self) -> Value {
        as_value(&self.0)
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some(node) = self.0.remove(from) {
            self.0.insert(to.to_owned(), node);
        }
    }
}

fn node(value: Value, from: (&Source, &str), at: &KeyPath) -> Node {
    let Value::Mapping(map) = value else {
        let line = line_of(from.1, at.segments());
        return Node::Value(value, Place { source: from.0.clone(), line });
    };
    let keys = map.into_iter().filter_map(|(key, value)| match key {
        Value::String(key) => {
            let below = node(value, from, &at.key(&key));
            Some((key, below))
        }
        _ => None,
    });
    Node::Map(keys.collect())
}

fn merge(mut earlier: BTreeMap<String, Node>, later: BTreeMap<String, Node>) -> BTreeMap<String, Node> {
    for (key, node) in later {
        let merged = match (earlier.remove(&key), node) {
            (Some(Node::Map(earlier)), Node::Map(later)) => Node::Map(merge(earlier, later)),
            (_, later) => later,
        };
        earlier.insert(key, merged);
    }
    earlier
}

fn first_place(node: &Node) -> Option<&Place> {
    match node {
        Node::Value(_, place) => Some(place),
        Node::Map(map) => map.values().find_map(first_place),
    }
}

fn as_value(map: &BTreeMap<String, Node>) -> Value {
    let below = |node: &Node| match node {
        Node::Map(map) => as_value(map),
        Node::Value(value, _) => value.clone(),
    };
    Value::Mapping(map.iter().map(|(key, node)| (Value::String(key.clone()), below(node))).collect::<Mapping>())
}

fn explain(map: &BTreeMap<String, Node>, (at, shape): (&KeyPath, &Shape), lines: &mut Vec<Explained>) {
    for (key, node) in map {
        let path = at.key(key);
        let below = match shape {
            Shape::Map(known) | Shape::Record(_, known) => {
                known.iter().find(|(name, _)| name == key).map(|(_, shape)| shape)
            }
            Shape::Open(_) => Some(shape),
            _ => None,
        };
        match node {
            Node::Map(map) => explain(map, (&path, below.unwrap_or(shape)), lines),
            Node::Value(value, place) => lines.push(Explained {
                key: path.to_string(),
                value: if below.is_some_and(Shape::hides) { "[redacted]".to_owned() } else { compact(value) },
                source: place.source.clone(),
                line: place.line,
            }),
        }
    }
}

/// A value on one line, long texts cut.
fn compact(value: &Value) -> String {
    match value {
        Value::String(text) => match text.split_once('\n') {
            Some((first, rest)) if !rest.is_empty() => format!("{first}…"),
            _ => text.trim_end().to_owned(),
        },
        Value::Sequence(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Mapping(map) => {
            let pairs = map.iter().map(|(key, value)| format!("{}: {}", compact(key), compact(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => serde_yaml_ng::to_string(other).unwrap_or_default().trim_end().to_owned(),
    }
}
