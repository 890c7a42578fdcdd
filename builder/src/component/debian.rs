//! Files of Debian packages taken as components, such as a static busybox.

use std::path::Path;

use super::{
    ComponentError, Program,
    workshop::{Job, Locked},
};
use crate::{fsx, store::Key};

/// Taking files out of a locked package set.
pub(super) struct DebianJob<'a> {
    pub(super) packages: Locked<'a>,
}

impl Job for DebianJob<'_> {
    fn inputs(&self, key: Key) -> Result<Key, ComponentError> {
        Ok(key.with("packages", self.packages.digest()?))
    }

    fn make(&self, program: &Program, out: &Path) -> Result<(), ComponentError> {
        let from = self.packages.unpacked()?.join(program.package.trim_start_matches('/'));
        Ok(fsx::copy(&from, out)?)
    }
}
