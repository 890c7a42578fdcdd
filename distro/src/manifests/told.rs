//! What was said of what, so that the same is said once.

use std::collections::BTreeMap;

/// What was said last of each thing.
#[derive(Clone, Debug, Default)]
pub struct Told(BTreeMap<String, String>);

impl Told {
    /// Remembers what is said of something; whether it is another thing than the last.
    pub fn is_news(&mut self, about: &str, text: &str) -> bool {
        self.0.insert(about.to_owned(), text.to_owned()).as_deref() != Some(text)
    }

    /// All is well again.
    pub fn forget(&mut self, about: &str) {
        self.0.remove(about);
    }
}
