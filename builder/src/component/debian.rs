//! Files of Debian packages taken as components, such as a static busybox.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use skerry_formats::arch::Arch;

use super::{
    ComponentError, Program,
    dynamic::Dynamic,
    workshop::{Job, Locked},
};
use crate::{fsx, store::Key};

/// Taking files out of a locked package set.
pub(super) struct DebianJob<'a> {
    pub(super) packages: Locked<'a>,
    pub(super) arch: Arch,
    pub(super) programs: &'a [Program],
}

impl DebianJob<'_> {
    fn source(&self, program: &Program) -> Result<PathBuf, ComponentError> {
        Ok(self.packages.unpacked()?.join(program.package.trim_start_matches('/')))
    }

    fn dynamic(&self, program: &Program) -> Result<Dynamic, ComponentError> {
        Dynamic::find(&self.packages.unpacked()?, self.arch, &self.source(program)?)
    }
}

impl Job for DebianJob<'_> {
    fn inputs(&self, key: Key) -> Result<Key, ComponentError> {
        let key = key.with("packages", self.packages.digest()?);
        let launched = self.programs.iter().any(|program| program.libraries.is_some());
        Ok(if launched { key.with("launcher", "1") } else { key })
    }

    fn make(&self, program: &Program, out: &Path) -> Result<(), ComponentError> {
        match &program.libraries {
            Some(folder) => Ok(fsx::write_atomic(out, self.dynamic(program)?.launcher(folder).as_bytes())?),
            None => Ok(fsx::copy(&self.source(program)?, out)?),
        }
    }

    fn libraries(&self, program: &Program) -> Result<BTreeMap<String, PathBuf>, ComponentError> {
        if program.libraries.is_some() { Ok(self.dynamic(program)?.files) } else { Ok(BTreeMap::new()) }
    }
}
