//! Recipes: `recipes/base.toml` and, on top of it, `recipes/profiles/<name>.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use skerry_formats::name::Name;

/// What goes into a root file system, whatever the board.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// One line for people.
    pub title: String,
    /// Debian packages, named; what they depend on follows.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Packages never taken in although something depends on them, each with the reason.
    #[serde(default)]
    pub exclude: BTreeMap<String, String>,
    /// Components built from source, by folder in `recipes/components/`.
    #[serde(default)]
    pub components: Vec<Name>,
    /// Overlays in the order they are laid, by folder in `overlays/`.
    #[serde(default)]
    pub overlays: Vec<Name>,
    /// Kernel modules in the root, by name or by folder (`kernel/net/netfilter/`).
    #[serde(default)]
    pub modules: Vec<String>,
    /// Units that are enabled; every other unit is disabled.
    #[serde(default)]
    pub units: Vec<String>,
    /// Units that cannot start, not even as a dependency, each with the reason.
    #[serde(default)]
    pub mask: BTreeMap<String, String>,
}

impl Recipe {
    /// This recipe with another laid on top.
    #[must_use]
    pub fn with(mut self, top: Self) -> Self {
        self.exclude.retain(|package, _| !top.packages.contains(package));
        self.packages.extend(top.packages);
        self.exclude.extend(top.exclude);
        self.components.extend(top.components);
        self.overlays.extend(top.overlays);
        self.modules.extend(top.modules);
        self.mask.retain(|unit, _| !top.units.contains(unit));
        self.units.extend(top.units);
        self.mask.extend(top.mask);
        self
    }
}
