//! What of a package's files never goes in: `recipes/drop.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::tree::TreePath;

/// Paths that are skipped while packages are read, each with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropTable {
    /// Folders with all they hold, and single files; `*` stands for any part of one component.
    #[serde(default)]
    pub paths: BTreeMap<String, String>,
}

impl DropTable {
    /// Whether a path is dropped, itself or through a folder above it.
    #[must_use]
    pub fn drops(&self, path: &TreePath) -> bool {
        let parts: Vec<&str> = path.as_str().split('/').collect();
        self.paths.keys().any(|pattern| {
            let wanted: Vec<&str> = pattern.trim_matches('/').split('/').collect();
            wanted.len() <= parts.len() && wanted.iter().zip(&parts).all(|(wanted, part)| fits(wanted, part))
        })
    }
}

/// Whether one component fits a pattern with at most one `*`.
fn fits(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((head, tail)) => part.len() >= head.len() + tail.len() && part.starts_with(head) && part.ends_with(tail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_drops_what_it_holds_and_nothing_beside_it() {
        let reason = String::new;
        let paths = [("usr/share/doc".to_owned(), reason()), ("usr/lib/*/gconv".to_owned(), reason())];
        let table = DropTable { paths: paths.into() };
        for (path, dropped) in [
            ("usr/share/doc", true),
            ("usr/share/doc/bash/copyright", true),
            ("usr/share/doc-base", false),
            ("usr/lib/x86_64-linux-gnu/gconv/A.so", true),
            ("usr/lib/gconv", false),
        ] {
            assert_eq!(table.drops(&path.parse().unwrap()), dropped, "{path}");
        }
    }
}
