//! Enabling: links from what wants a unit to the unit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Install, UNITS, UnitError, missing, unit_path};
use crate::tree::{Content, Entry, Kind, Tree, TreePath};

pub(super) struct Enabler<'a> {
    tree: &'a mut Tree,
    mask: &'a BTreeMap<String, String>,
    done: BTreeSet<String>,
}

/// A unit's name and the file it is read from: two names for an instance of a template.
struct Unit {
    name: String,
    file: String,
    install: Install,
}

impl<'a> Enabler<'a> {
    pub(super) fn new(tree: &'a mut Tree, mask: &'a BTreeMap<String, String>) -> Self {
        Self { tree, mask, done: BTreeSet::new() }
    }

    /// Enables a unit and what its `Also=` names; masked ones among the latter stay masked.
    pub(super) fn enable(&mut self, name: &str) -> Result<(), UnitError> {
        if !self.done.insert(name.to_owned()) {
            return Ok(());
        }
        let unit = self.find(name)?;
        for (suffix, targets) in [
            ("wants", &unit.install.wanted_by),
            ("requires", &unit.install.required_by),
            ("upholds", &unit.install.upheld_by),
        ] {
            for target in targets {
                self.link(&unit, &format!("{target}.{suffix}/{}", unit.name), &format!("../{}", unit.file))?;
            }
        }
        for alias in unit.install.alias.iter().filter(|alias| **alias != unit.name) {
            self.link(&unit, alias, &unit.file)?;
        }
        let also = unit.install.also.iter().filter(|other| !self.mask.contains_key(*other)).cloned();
        also.collect::<Vec<_>>().iter().try_for_each(|other| self.enable_also(other))
    }

    /// Upstream's files name units that a distribution may have split off: those are passed over, as systemctl does.
    fn enable_also(&mut self, name: &str) -> Result<(), UnitError> {
        match self.enable(name) {
            Err(UnitError::Missing { .. } | UnitError::Static { .. }) => Ok(()),
            other => other,
        }
    }

    fn find(&self, name: &str) -> Result<Unit, UnitError> {
        let template = name.split_once('@').and_then(|(stem, rest)| {
            let (instance, suffix) = rest.rsplit_once('.')?;
            Some((format!("{stem}@.{suffix}"), stem, instance, suffix))
        });
        let file = template.as_ref().map_or(name, |(file, ..)| file);
        let text = self.text(file).ok_or_else(|| missing(self.tree, "enable", name))?;
        let install = Install::parse(&text).ok_or_else(|| UnitError::Static { unit: name.to_owned() })?;
        let name = match (&template, &install.default_instance) {
            (Some((_, stem, "", suffix)), Some(instance)) => format!("{stem}@{instance}.{suffix}"),
            _ => name.to_owned(),
        };
        Ok(Unit { name, file: file.to_owned(), install })
    }

    fn text(&self, file: &str) -> Option<String> {
        match &self.tree.get(&unit_path(file).ok()?)?.kind {
            Kind::File(Content::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    fn link(&mut self, unit: &Unit, below: &str, target: &str) -> Result<(), UnitError> {
        let word = |source| UnitError::Word { unit: unit.name.clone(), source };
        let path = TreePath::fixed(UNITS).join(below).map_err(word)?;
        Ok(self.tree.insert(path, Entry::symlink(target))?)
    }
}
