//! What goes into the one file of sk8s: `recipes/sk8s.toml`.

use serde::Deserialize;
use skerry_formats::name::Name;

/// The program, and what it carries.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OneFileRecipe {
    /// One line for people.
    pub title: String,
    /// The component whose one program carries the others' files.
    pub program: Name,
    /// The components whose files it carries, by folder in `recipes/components/`.
    pub components: Vec<Name>,
}
