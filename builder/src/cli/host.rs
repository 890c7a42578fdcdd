//! What every verb needs of the host: the catalogue, the store, the reporter.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Failure, Usage, lock};
use crate::{
    archive::{Archive, mirror::MirrorError},
    build::sets::LockedSets,
    catalog::Catalog,
    clock,
    component::{Toolchain, Workshop},
    report::Reporter,
    store::Store,
};

/// Flags that every verb takes.
#[derive(Debug, Args)]
pub struct HostArgs {
    /// Folder with `boards/`, `recipes/` and `overlays/` [default: the one around the current folder]
    #[arg(long, global = true, value_name = "DIR", env = "SKERRY_SOURCE", hide_env = true)]
    source: Option<PathBuf>,
    /// Folder for downloads and built components [default: `~/.cache/skerry`]
    #[arg(long, global = true, value_name = "DIR", env = "SKERRY_CACHE", hide_env = true)]
    cache: Option<PathBuf>,
    /// Print nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

/// The host as the verbs see it.
#[derive(Debug)]
pub struct Host {
    /// Boards, recipes, overlays.
    pub catalog: Catalog,
    /// Downloads and built things.
    pub store: Store,
    /// Where progress goes.
    pub reporter: Reporter,
}

impl Host {
    /// Looks around.
    pub fn new(args: HostArgs) -> Result<Self, Failure> {
        // Tools that we start run in folders of their own: no path may depend on this one.
        let here = current_dir();
        let catalog = match args.source {
            Some(folder) => Catalog::at(here.join(folder)),
            None => Catalog::around(&here)?.ok_or_else(no_catalog)?,
        };
        let reporter = if args.quiet { Reporter::quiet() } else { Reporter::stderr() };
        Ok(Self { catalog, store: Store::at(here.join(args.cache.unwrap_or_else(default_cache))), reporter })
    }

    /// Does something in a workshop that has the locked packages of the store and no mirror.
    pub fn without_mirror<T>(&self, work: impl FnOnce(&Workshop<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let lock = lock::load(self)?;
        let archive = Archive::debian(Err(MirrorError::None), self.store.clone(), clock::unix_now())?;
        let sets = LockedSets { lock: &lock, archive: &archive, reporter: &self.reporter };
        let toolchain = Toolchain::new(self.store.root(), self.catalog.root());
        work(&Workshop { store: &self.store, toolchain: &toolchain, packages: &sets, reporter: &self.reporter })
    }
}

fn current_dir() -> PathBuf {
    env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

fn no_catalog() -> Usage {
    Usage::new("no `recipes/base.toml` in this folder or above", "go to a Skerry checkout, or name it: --source DIR")
}

fn default_cache() -> PathBuf {
    below_home("XDG_CACHE_HOME", ".cache").join("skerry")
}

fn below_home(variable: &str, default: &str) -> PathBuf {
    match (env::var_os(variable), env::var_os("HOME")) {
        (Some(folder), _) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        (_, Some(home)) => PathBuf::from(home).join(default),
        _ => env::temp_dir(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, HostArgs};

    #[test]
    fn folders_are_absolute_however_they_were_named() {
        let source = Some("..".into());
        let host = Host::new(HostArgs { source, cache: Some("some/cache".into()), quiet: true }).expect("a checkout");
        assert!(host.store.root().is_absolute() && host.store.root().ends_with("some/cache"));
        assert!(host.catalog.root().is_absolute());
    }
}
