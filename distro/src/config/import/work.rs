//! A conversion in progress.

use serde_yaml_ng::{Mapping, Value};

use super::{Remark, Weight};

/// A conversion in progress: what is read, what was made of it, what there is to tell.
pub(super) struct Work<'a> {
    source: &'a Value,
    made: Mapping,
    remarks: Vec<Remark>,
}

impl<'a> Work<'a> {
    /// Nothing was done yet.
    pub(super) fn new(source: &'a Value) -> Self {
        Self { source, made: Mapping::new(), remarks: Vec::new() }
    }

    /// The value in k0s's file at a path of keys with dots between.
    pub(super) fn at(&self, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(self.source, |value, key| value.get(key)).filter(|value| !value.is_null())
    }

    /// The text at such a path.
    pub(super) fn text_at(&self, path: &str) -> Option<&'a str> {
        self.at(path).and_then(Value::as_str)
    }

    /// The whole file.
    pub(super) const fn source(&self) -> &'a Value {
        self.source
    }

    /// Gives a key of ours a value.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Value>) {
        let mut keys: Vec<&str> = path.split('.').collect();
        let Some(last) = keys.pop() else { return };
        let mut map = &mut self.made;
        for key in keys {
            let below = map.entry(key.into()).or_insert_with(|| Mapping::new().into());
            match below {
                Value::Mapping(below) => map = below,
                _ => return,
            }
        }
        map.insert(last.into(), value.into());
    }

    /// Tells what is done in another way.
    pub(super) fn note(&mut self, key: &str, text: impl Into<String>) {
        self.remarks.push(Remark { key: key.to_owned(), weight: Weight::Note, text: text.into() });
    }

    /// Tells what is not done.
    pub(super) fn lost(&mut self, key: &str, text: impl Into<String>) {
        self.remarks.push(Remark { key: key.to_owned(), weight: Weight::Lost, text: text.into() });
    }

    /// What was made, and what there is to tell.
    pub(super) fn done(self) -> (Value, Vec<Remark>) {
        (Value::Mapping(self.made), self.remarks)
    }
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
