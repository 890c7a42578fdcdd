//! What a value may look like: known keys, kinds, and a check for each text. The schema is data made of these.

use std::str::FromStr;

use serde_yaml_ng::Value;

use super::{path::KeyPath, problem::Fault};
use crate::cluster_config::{OPEN_DEPTH, Reserved};

/// The deepest nesting of any known key.
const DEPTH: usize = 8;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Known keys, each with a shape.
    Map(&'static [(&'static str, Shape)]),
    /// Known keys, the first so many of which must be there.
    Record(usize, &'static [(&'static str, Shape)]),
    /// Free keys, each checked, with texts.
    Table(Check, Check),
    /// A list of such values.
    List(&'static Shape),
    /// A text that a check accepts.
    Text(Check),
    /// A text that is never shown.
    Secret(Check),
    /// `true` or `false`.
    Flag,
    /// A whole number, from the first to the second.
    Number(u64, u64),
    /// Keys and values that sk8s knows, but for those that have words of their own here. Never shown.
    Open(Reserved),
}

impl Shape {
    /// Whether there is a secret in it.
    pub fn hides(&self) -> bool {
        match self {
            Self::Secret(_) | Self::Open(_) => true,
            Self::List(item) => item.hides(),
            Self::Map(known) | Self::Record(_, known) => known.iter().any(|(_, shape)| shape.hides()),
            Self::Table(..) | Self::Text(_) | Self::Flag | Self::Number(..) => false,
        }
    }
}

/// Says what is wrong with a text.
pub type Check = fn(&str) -> Result<(), String>;

/// A check by a type that is made from text.
pub fn typed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(|_| ()).map_err(|error| error.to_string())
}

/// A text without limits of its own.
pub fn anything(_text: &str) -> Result<(), String> {
    Ok(())
}

/// A key's advice for keys that are known elsewhere but not here.
pub type Advice = fn(&str) -> Option<&'static str>;

/// Compares a value with its shape; every difference is noted.
pub struct Inspection<'a> {
    /// What to do instead of a root key of another system's.
    pub advice: Advice,
    /// What was found so far, with the place.
    pub faults: &'a mut Vec<(KeyPath, Fault)>,
}

impl Inspection<'_> {
    /// Compares the value at a path.
    pub fn value(&mut self, shape: &Shape, value: &Value, at: &KeyPath) {
        if at.depth() > DEPTH {
            return self.note(at, Fault::TooDeep(at.clone()));
        }
        match (shape, value) {
            (Shape::Map(known), Value::Mapping(map)) => self.map(known, map, at),
            (Shape::Record(needed, known), Value::Mapping(map)) => {
                for (key, _) in known.iter().take(*needed).filter(|(key, _)| !map.contains_key(*key)) {
                    self.note(at, Fault::Value { path: at.key(key), why: "missing".to_owned() });
                }
                self.map(known, map, at);
            }
            (Shape::Table(key, text), Value::Mapping(map)) => self.table((*key, *text), map, at),
            (Shape::List(item), Value::Sequence(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.value(item, value, &at.item(index));
                }
            }
            (Shape::Text(check) | Shape::Secret(check), Value::String(text)) => self.text(*check, text, at),
            (Shape::Flag, Value::Bool(_)) => {}
            (Shape::Open(reserved), Value::Mapping(_)) => self.open((reserved, ""), value, at),
            (Shape::Number(least, most), Value::Number(number)) => {
                if !number.as_u64().is_some_and(|number| (*least..=*most).contains(&number)) {
                    let why = format!("not a whole number from {least} to {most}: `{number}`");
                    self.note(at, Fault::Value { path: at.clone(), why });
                }
            }
            (shape, value) => {
                let (wanted, found) = (wanted(shape), kind(value));
                self.note(at, Fault::Kind { path: at.clone(), wanted, found });
            }
        }
    }

    fn map(&mut self, known: &[(&'static str, Shape)], map: &serde_yaml_ng::Mapping, at: &KeyPath) {
        for (key, value) in map {
            let Some(key) = self.key(key, at) else { continue };
            let path = at.key(key);
            if let Some((_, shape)) = known.iter().find(|(name, _)| *name == key) {
                self.value(shape, value, &path);
                continue;
            }
            let advice = if at.depth() == 0 { (self.advice)(key) } else { None };
            let fault = match advice {
                Some(instead) => Fault::Foreign { path: path.clone(), instead },
                None => {
                    let names: Vec<&'static str> = known.iter().map(|(name, _)| *name).collect();
                    Fault::unknown(path.clone(), key, &names)
                }
            };
            self.note(&path, fault);
        }
    }

    fn table(&mut self, (key_check, text_check): (Check, Check), map: &serde_yaml_ng::Mapping, at: &KeyPath) {
        for (key, value) in map {
            let Some(key) = self.key(key, at) else { continue };
            let path = at.key(key);
            self.text(key_check, key, &path);
            self.value(&Shape::Text(text_check), value, &path);
        }
    }

    /// Keys that are passed on. `below` is the way from where they begin, written with dots.
    fn open(&mut self, (reserved, below): (Reserved, &str), value: &Value, at: &KeyPath) {
        if at.depth() > OPEN_DEPTH {
            return self.note(at, Fault::TooDeep(at.clone()));
        }
        match value {
            Value::Mapping(map) => {
                for (key, value) in map {
                    let Some(key) = self.key(key, at) else { continue };
                    let path = at.key(key);
                    let below = if below.is_empty() { key.to_owned() } else { format!("{below}.{key}") };
                    match reserved.iter().find(|(word, _)| *word == below) {
                        Some((_, instead)) => {
                            let why = format!("it is said by `{instead}` here");
                            self.note(&path, Fault::Value { path: path.clone(), why });
                        }
                        None => self.open((reserved, &below), value, &path),
                    }
                }
            }
            _ if reserved.iter().any(|(word, _)| is_below(word, below)) => {
                self.note(at, Fault::Kind { path: at.clone(), wanted: "keys and values", found: kind(value) });
            }
            Value::Tagged(_) => {
                self.note(at, Fault::Kind { path: at.clone(), wanted: "a plain value", found: kind(value) })
            }
            // What stands in a list is no key of ours.
            Value::Sequence(items) => {
                for (index, value) in items.iter().enumerate() {
                    self.open((&[], ""), value, &at.item(index));
                }
            }
            _ => {}
        }
    }

    fn key<'v>(&mut self, key: &'v Value, at: &KeyPath) -> Option<&'v str> {
        if let Value::String(key) = key {
            return Some(key);
        }
        self.note(at, Fault::Kind { path: at.clone(), wanted: "keys that are text", found: kind(key) });
        None
    }

    fn text(&mut self, check: Check, text: &str, at: &KeyPath) {
        if let Err(why) = check(text) {
            self.note(at, Fault::Value { path: at.clone(), why });
        }
    }

    fn note(&mut self, at: &KeyPath, fault: Fault) {
        self.faults.push((at.clone(), fault));
    }
}

/// Whether a path leads below another.
fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
}

const fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Map(_) | Shape::Record(..) | Shape::Table(..) | Shape::Open(_) => "keys and values",
        Shape::List(_) => "a list",
        Shape::Text(_) | Shape::Secret(_) => "text (put it in quotes)",
        Shape::Flag => "`true` or `false`",
        Shape::Number(..) => "a number",
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "keys and values",
        Value::Tagged(_) => "a YAML tag",
    }
}
