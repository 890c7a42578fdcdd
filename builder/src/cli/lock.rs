//! `skerry lock` and `skerry vendor`.

use std::path::PathBuf;

use super::{Failure, Host, Usage};
use crate::{
    archive::{Archive, mirror::Mirror},
    clock,
    lock::{self, Context, Lock, ScriptsTable},
    plan,
};

/// Where Debian's packages come from.
#[derive(Debug, clap::Args)]
pub struct MirrorArgs {
    /// Debian mirror, or a folder made by `skerry vendor` [default: the host's apt sources]
    #[arg(long, value_name = "URI")]
    mirror: Option<String>,
    /// Mirror of Debian's security updates [default: beside the mirror]
    #[arg(long, value_name = "URI")]
    mirror_security: Option<String>,
}

/// Flags of `skerry lock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    mirror: MirrorArgs,
    /// Take the newest versions of everything, not only of what is missing
    #[arg(long)]
    update: bool,
    /// Print the scripts of a locked package and its entry for `recipes/scripts.toml`
    #[arg(long, value_name = "PACKAGE")]
    show_scripts: Option<String>,
}

/// Flags of `skerry vendor`.
#[derive(Debug, clap::Args)]
pub struct VendorArgs {
    #[command(flatten)]
    mirror: MirrorArgs,
    /// Folder to copy all locked packages into
    dir: PathBuf,
}

impl MirrorArgs {
    /// The archive that these flags, the environment and the host lead to.
    pub fn archive(&self, host: &Host) -> Result<Archive, Failure> {
        let mirror = Mirror::find(self.mirror.as_deref(), self.mirror_security.as_deref());
        Ok(Archive::debian(mirror, host.store.clone(), clock::unix_now())?)
    }
}

/// Where the lock lies.
pub fn path(host: &Host) -> PathBuf {
    host.catalog.root().join("skerry.lock")
}

/// The table of reviewed scripts.
pub fn table(host: &Host) -> Result<ScriptsTable, Failure> {
    Ok(ScriptsTable::load(&host.catalog.root().join("recipes/scripts.toml"))?)
}

/// The lock, which must be there.
pub fn load(host: &Host) -> Result<Lock, Failure> {
    let missing = || Usage::new("there is no `skerry.lock`", "make it: `skerry lock`");
    Ok(Lock::load(&path(host))?.ok_or_else(missing)?)
}

/// Locks what the catalogue asks for.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let archive = args.mirror.archive(host)?;
    let table = table(host)?;
    if let Some(package) = &args.show_scripts {
        return show_scripts(host, &archive, package);
    }
    let requests = plan::all_requests(&host.catalog)?;
    let old = Lock::load(&path(host))?;
    if let Some(old) = old.as_ref().filter(|old| !args.update && old.check(&requests).is_ok()) {
        host.reporter.line(format!("`skerry.lock` holds what the recipes ask for: {} packages", old.packages.len()));
        return Ok(());
    }
    let context = Context { archive: &archive, table: &table, reporter: &host.reporter };
    let new = lock::resolve(&requests, old.as_ref(), &context)?;
    let changes = lock::diff(&old.unwrap_or_default(), &new);
    new.save(&path(host))?;
    println!("{changes}");
    host.reporter.line(format!("`skerry.lock`: {} packages in {} sets", new.packages.len(), new.sets.len()));
    Ok(())
}

fn show_scripts(host: &Host, archive: &Archive, package: &str) -> Result<(), Failure> {
    let lock = load(host)?;
    let named: Vec<_> = lock.packages.values().filter(|locked| locked.name.to_string() == package).collect();
    if named.is_empty() {
        let hint = "the lock has no such package; see `skerry.lock`";
        return Err(Usage::new(format!("unknown package: `{package}`"), hint).into());
    }
    lock::fetch(named.iter().copied(), archive, &host.reporter)?;
    for review in lock::scripts::look(named, &host.store)? {
        println!("{}{}", review.text(), review.entry());
    }
    Ok(())
}

/// Copies all locked packages into a folder that serves as a mirror.
pub fn vendor(host: &Host, args: &VendorArgs) -> Result<(), Failure> {
    let archive = args.mirror.archive(host)?;
    let vendored = lock::vendor(&load(host)?, &args.dir, &archive, &host.reporter)?;
    let mib = vendored.bytes >> 20;
    host.reporter.line(format!("{} packages, {mib} MiB, in `{}`", vendored.packages, args.dir.display()));
    for suite in &vendored.without_lists {
        host.reporter.line(format!(
            "{suite}: its lists have changed since the lock: the folder serves `skerry build`, not `skerry lock`"
        ));
    }
    host.reporter.line(format!("build from it: `skerry build … --mirror {}`", args.dir.display()));
    Ok(())
}
