//! Data beside a recipe: `recipes/accounts.toml`, `recipes/alternatives.toml`, `recipes/drop.toml`.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::{accounts::FixedIds, drop::DropTable};
use crate::catalog::{DataError, data};

/// All tables of a recipe folder.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Numeric ids of every account.
    pub ids: FixedIds,
    /// Links that maintainer scripts would have made.
    pub alternatives: Alternatives,
    /// Paths of packages that never go in.
    pub drop: DropTable,
}

/// Links that `update-alternatives` would have made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternatives {
    /// Link to target, both as paths from the root; made if the target is there and the link is not.
    pub links: BTreeMap<String, String>,
}

impl Tables {
    /// Reads the tables of a recipe folder.
    ///
    /// # Errors
    /// If one is missing or has an unknown key.
    pub fn load(recipes: &Path) -> Result<Self, DataError> {
        Ok(Self {
            ids: data::load(&recipes.join("accounts.toml"))?,
            alternatives: data::load(&recipes.join("alternatives.toml"))?,
            drop: data::load(&recipes.join("drop.toml"))?,
        })
    }
}
