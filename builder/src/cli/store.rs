//! `skerry store`: moves built components between machines.

use std::path::PathBuf;

use super::{Failure, Host};
use crate::{
    component, fsx, report,
    store::{self, Key, Selection},
};
use skerry_formats::arch::Arch;

/// Flags of `skerry store`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write all built components into a file
    Export {
        /// The file
        file: PathBuf,
    },
    /// Take built components in from a file
    Import {
        /// The file
        file: PathBuf,
    },
}

/// Runs a verb on the store.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::Export { file } => export(host, file),
        Verb::Import { file } => {
            let count = store::import(&host.store, fsx::open(file)?)?;
            host.reporter.line(format!("{count} built things taken in from `{}`", file.display()));
            Ok(())
        }
    }
}

fn export(host: &Host, file: &std::path::Path) -> Result<(), Failure> {
    let keys = keys(host)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let mut out = fsx::temp_file_in(parent)?;
    store::export(&host.store, Selection::Keys(&keys), out.as_file_mut())?;
    let size = fsx::size(out.path())?.unwrap_or_default();
    fsx::persist(out, file)?;
    host.reporter.line(format!("{} built components in `{}`, {}", keys.len(), file.display(), report::bytes(size)));
    Ok(())
}

/// Keys of all components that the store has, of both architectures.
fn keys(host: &Host) -> Result<Vec<Key>, Failure> {
    let mut keys = Vec::new();
    host.without_mirror(|workshop| {
        for component in component::load_all(&host.catalog.root().join("recipes/components"))? {
            for arch in Arch::ALL {
                let key = workshop.key(&component, arch)?;
                if host.store.made(&key)?.is_some() {
                    keys.push(key);
                }
            }
        }
        Ok(())
    })?;
    Ok(keys)
}
