//! Choosing kernel modules: names and folders become a list closed over dependencies, in load order.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

use skerry_formats::hint;

use super::{KernelError, elf};
use crate::tree::{Content, Entry, Kind, Tree, TreePath};

/// All modules of a kernel by name, `_` for `-`, and the names that are built in.
#[derive(Debug, Default)]
pub struct Modules<'a> {
    files: BTreeMap<String, (&'a TreePath, &'a Entry)>,
    built_in: BTreeSet<String>,
}

/// A module that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its path without compression's suffix.
    pub path: TreePath,
    /// Its bytes, not compressed.
    pub bytes: Vec<u8>,
}

impl<'a> Modules<'a> {
    /// The modules below `folder` (`usr/lib/modules/<version>`).
    #[must_use]
    pub fn of(tree: &'a Tree, folder: &'a TreePath) -> Self {
        let mut modules = Self::default();
        for (path, entry) in tree.under(folder) {
            if let Some(name) = module_name(path.file_name()) {
                modules.files.insert(name, (path, entry));
            } else if let ("modules.builtin", Kind::File(Content::Bytes(list))) = (path.file_name(), &entry.kind) {
                let list = String::from_utf8_lossy(list);
                modules.built_in = list.lines().filter_map(|line| module_name(line.rsplit('/').next()?)).collect();
            }
        }
        modules
    }

    /// The modules that `wanted` names, with what they depend on, each after its dependencies; built-in ones are left out.
    ///
    /// # Errors
    /// If a name or folder has no module, or a module cannot be read.
    pub fn choose(&self, wanted: &[String]) -> Result<Vec<Chosen>, KernelError> {
        let mut choice = Choice { modules: self, seen: BTreeSet::new(), chosen: Vec::new() };
        for word in wanted {
            match word.strip_suffix('/') {
                Some(folder) => {
                    let names = self.below(folder);
                    if names.is_empty() {
                        return Err(KernelError::NoSuchFolder { folder: word.clone() });
                    }
                    names.iter().try_for_each(|name| choice.take(name, word))?;
                }
                None => choice.take(word, word)?,
            }
        }
        Ok(choice.chosen)
    }

    fn below(&self, folder: &str) -> Vec<&str> {
        let inside = |path: &TreePath| path.as_str().contains(&format!("/{}/", folder.trim_start_matches('/')));
        self.files.iter().filter(|(_, (path, _))| inside(path)).map(|(name, _)| name.as_str()).collect()
    }
}

struct Choice<'m, 'a> {
    modules: &'m Modules<'a>,
    seen: BTreeSet<String>,
    chosen: Vec<Chosen>,
}

impl Choice<'_, '_> {
    /// `asked_by` is the word or module that led here.
    fn take(&mut self, name: &str, asked_by: &str) -> Result<(), KernelError> {
        let name = name.replace('-', "_");
        if self.modules.built_in.contains(&name) || !self.seen.insert(name.clone()) {
            return Ok(());
        }
        let Some((path, entry)) = self.modules.files.get(&name) else {
            let near = hint::nearest(&name, self.modules.files.keys().map(String::as_str)).map(str::to_owned);
            return Err(KernelError::NoSuchModule { module: name, asked_by: asked_by.to_owned(), near });
        };
        let bytes = plain(path, entry)?;
        let damaged = || KernelError::Damaged { path: (*path).clone() };
        for needed in elf::values(&bytes, "depends").ok_or_else(damaged)? {
            needed.split(',').filter(|name| !name.is_empty()).try_for_each(|needed| self.take(needed, &name))?;
        }
        for soft in elf::values(&bytes, "softdep").ok_or_else(damaged)? {
            self.take_soft(&soft, &name)?;
        }
        let path = path.as_str().strip_suffix(".xz").unwrap_or(path.as_str());
        self.chosen.push(Chosen { path: path.parse()?, bytes });
        Ok(())
    }

    /// `pre: a b post: c`: those that are modules here are loaded first too; names of algorithms are not looked up.
    fn take_soft(&mut self, soft: &str, name: &str) -> Result<(), KernelError> {
        let pre = soft.split_whitespace().skip_while(|word| *word != "pre:").skip(1);
        for needed in pre.take_while(|word| !word.ends_with(':')) {
            if self.modules.files.contains_key(&needed.replace('-', "_")) {
                self.take(needed, name)?;
            }
        }
        Ok(())
    }
}

/// `dm-verity.ko.xz` is `dm_verity`.
fn module_name(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".ko.xz").or_else(|| file.strip_suffix(".ko"))?;
    Some(stem.replace('-', "_"))
}

fn plain(path: &TreePath, entry: &Entry) -> Result<Vec<u8>, KernelError> {
    let Kind::File(Content::Bytes(bytes)) = &entry.kind else {
        return Err(KernelError::Damaged { path: path.clone() });
    };
    if !path.as_str().ends_with(".xz") {
        return Ok(bytes.to_vec());
    }
    let mut plain = Vec::with_capacity(bytes.len() * 4);
    let read = liblzma::read::XzDecoder::new(&bytes[..]).read_to_end(&mut plain);
    read.map(|_| plain).map_err(|source| KernelError::Decompress { path: path.clone(), source })
}
