//! Which systemd units start: what `systemctl preset-all` and `systemctl mask` would do, computed.

mod enable;
mod install;

use std::collections::BTreeMap;

use skerry_formats::hint;

use crate::tree::{BadPath, Content, Entry, Kind, Tree, TreeError, TreePath};

pub use install::Install;

/// Where a package's units lie, and ours; `/etc` stays free of them.
const UNITS: &str = "usr/lib/systemd/system";
/// First in its folder by name, and it ends in `disable *`: no other preset is ever asked.
const PRESET: &str = "usr/lib/systemd/system-preset/00-skerry.preset";

/// A unit that cannot be enabled or masked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnitError {
    /// The recipe names a unit that nothing brings.
    #[error("cannot {verb} `{unit}`: no package, component or overlay has that unit")]
    Missing {
        /// `enable` or `mask`.
        verb: &'static str,
        /// The unit.
        unit: String,
        /// The nearest unit that is there.
        near: Option<String>,
    },
    /// It says nowhere what would start it.
    #[error("cannot enable `{unit}`: it has no `[Install]` section")]
    Static {
        /// The unit.
        unit: String,
    },
    /// It is both enabled and masked.
    #[error("`{unit}` is both enabled and masked")]
    Both {
        /// The unit.
        unit: String,
    },
    /// A word in an `[Install]` section is no unit name.
    #[error("`{unit}` has a bad word in its `[Install]` section")]
    Word {
        /// The unit.
        unit: String,
        /// What is wrong with it.
        #[source]
        source: BadPath,
    },
    /// The tree did not take a link.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl UnitError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::Missing { .. } => Some("take it out of the recipe, or add the package that brings it".to_owned()),
            Self::Static { .. } => Some("it is started by other units; take it out of `units`".to_owned()),
            _ => None,
        }
    }
}

/// Enables `units`, masks `mask`, and writes the preset that says the same to people and to `systemctl`.
///
/// # Errors
/// If a unit is not in the tree, is both, or cannot be enabled.
pub fn apply(tree: &mut Tree, units: &[String], mask: &BTreeMap<String, String>) -> Result<(), UnitError> {
    if let Some(unit) = units.iter().find(|unit| mask.contains_key(*unit)) {
        return Err(UnitError::Both { unit: unit.clone() });
    }
    let mut enabler = enable::Enabler::new(tree, mask);
    for unit in units {
        enabler.enable(unit)?;
    }
    for unit in mask.keys() {
        mask_unit(tree, unit)?;
    }
    let preset = Entry::file(Content::from_bytes(preset(units)), 0o644);
    Ok(tree.insert(TreePath::fixed(PRESET), preset)?)
}

fn preset(units: &[String]) -> String {
    let lines = units.iter().map(|unit| format!("enable {unit}\n"));
    lines.chain(["disable *\n".to_owned()]).collect()
}

/// Replaces the unit by a link to `/dev/null` and takes away the links that would start it, so that systemd has less to
/// read at boot.
fn mask_unit(tree: &mut Tree, unit: &str) -> Result<(), UnitError> {
    let path = unit_path(unit)?;
    if tree.get(&path).is_none() {
        return Err(missing(tree, "mask", unit));
    }
    tree.insert(path, Entry::symlink("/dev/null"))?;
    tree.retain(|path, entry| !(is_dependency_link(path, entry) && path.file_name() == unit));
    Ok(())
}

fn is_dependency_link(path: &TreePath, entry: &Entry) -> bool {
    let folder = path.as_str().strip_prefix(UNITS).and_then(|rest| rest.rsplit_once('/')).map(|(folder, _)| folder);
    let dependency = folder.is_some_and(|folder| folder.ends_with(".wants") || folder.ends_with(".requires"));
    dependency && matches!(entry.kind, Kind::Symlink(_))
}

fn unit_path(unit: &str) -> Result<TreePath, UnitError> {
    TreePath::fixed(UNITS).join(unit).map_err(|source| UnitError::Word { unit: unit.to_owned(), source })
}

fn missing(tree: &Tree, verb: &'static str, unit: &str) -> UnitError {
    let folder = TreePath::fixed(UNITS);
    let known = tree.under(&folder).map(|(path, _)| path.file_name());
    let near = hint::nearest(unit, known).map(str::to_owned);
    UnitError::Missing { verb, unit: unit.to_owned(), near }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(units: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (unit, text) in units {
            let path = format!("{UNITS}/{unit}").parse().unwrap();
            let entry = match text.strip_prefix("-> ") {
                Some(target) => Entry::symlink(target),
                None => Entry::file(Content::from_bytes(*text), 0o644),
            };
            tree.insert(path, entry).unwrap();
        }
        tree
    }

    fn links(tree: &Tree) -> Vec<String> {
        let link = |(path, entry): (&TreePath, &Entry)| match &entry.kind {
            Kind::Symlink(target) => Some(format!("{} {target}", path.as_str().strip_prefix(UNITS)?)),
            _ => None,
        };
        tree.iter().filter_map(link).collect()
    }

    fn enabled(tree: &mut Tree, units: &[&str]) -> Result<Vec<String>, UnitError> {
        let units: Vec<String> = units.iter().map(|unit| (*unit).to_owned()).collect();
        apply(tree, &units, &BTreeMap::new())?;
        Ok(links(tree))
    }

    #[test]
    fn wanted_by_alias_and_also_become_links() {
        let networkd =
            "[Unit]\nAlso=no.service\n[Install]\nWantedBy=multi-user.target\nAlias=dbus-n.service\nAlso=n.socket\n";
        let mut tree = tree(&[("n.service", networkd), ("n.socket", "[Install]\nWantedBy=sockets.target\n")]);
        assert_eq!(
            enabled(&mut tree, &["n.service"]).unwrap(),
            [
                "/dbus-n.service n.service",
                "/multi-user.target.wants/n.service ../n.service",
                "/sockets.target.wants/n.socket ../n.socket"
            ]
        );
        assert!(tree.get(&PRESET.parse().unwrap()).is_some());
    }

    #[test]
    fn a_template_is_enabled_with_the_named_or_its_default_instance() {
        let text = "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n";
        let mut one = tree(&[("getty@.service", text)]);
        assert_eq!(
            enabled(&mut one, &["getty@.service"]).unwrap(),
            ["/getty.target.wants/getty@tty1.service ../getty@.service"]
        );
        let mut other = tree(&[("getty@.service", text)]);
        assert_eq!(
            enabled(&mut other, &["getty@ttyS0.service"]).unwrap(),
            ["/getty.target.wants/getty@ttyS0.service ../getty@.service"]
        );
    }

    #[test]
    fn a_masked_unit_is_nothing_and_nobody_wants_it() {
        let mut tree = tree(&[("x.service", "[Service]\n"), ("sysinit.target.wants/x.service", "-> ../x.service")]);
        apply(&mut tree, &[], &[("x.service".to_owned(), "useless".to_owned())].into()).unwrap();
        assert_eq!(links(&tree), ["/x.service /dev/null"]);
    }

    #[test]
    fn a_missing_unit_names_the_nearest() {
        let error = enabled(&mut tree(&[("skerryd.service", "[Install]\n")]), &["skeryd.service"]).unwrap_err();
        assert_eq!(error.to_string(), "cannot enable `skeryd.service`: no package, component or overlay has that unit");
        assert_eq!(error.hint().as_deref(), Some("did you mean `skerryd.service`?"));
    }

    #[test]
    fn a_static_unit_cannot_be_enabled() {
        let error = enabled(&mut tree(&[("x.service", "[Service]\n")]), &["x.service"]).unwrap_err();
        assert_eq!(error.to_string(), "cannot enable `x.service`: it has no `[Install]` section");
    }
}
