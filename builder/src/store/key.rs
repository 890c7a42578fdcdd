//! Keys: everything that goes into a made folder, by name, so that a miss can be explained.

use skerry_formats::digest::{Digest, Hasher};

/// All inputs of a step. Two keys are equal if and only if all inputs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    inputs: Vec<(String, String)>,
}

impl Key {
    /// A key of a kind of step; raise the kind's version (`erofs/2`) when the step's own code changes what it makes.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self { inputs: vec![("kind".to_owned(), kind.to_owned())] }
    }

    /// Adds an input.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.inputs.push((name.into(), value.to_string()));
        self
    }

    /// The inputs in the order they were added.
    #[must_use]
    pub fn inputs(&self) -> &[(String, String)] {
        &self.inputs
    }

    /// The digest of all inputs, each with its length.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for (name, value) in &self.inputs {
            hasher.update(format!("{}:{}:", name.len(), value.len()).as_bytes());
            hasher.update(name.as_bytes());
            hasher.update(value.as_bytes());
        }
        hasher.finish()
    }
}
