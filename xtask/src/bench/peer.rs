//! mmdebstrap, which composes the same packages into a tarball.

use std::{
    ffi::{OsStr, OsString},
    time::Duration,
};

use super::Args;
use crate::{files, process};

/// Times mmdebstrap on the packages that the lock names for the board.
///
/// It reads them from a folder that `skerry vendor` filled, as our own build reads them from its cache: neither is measured on
/// the network. It only extracts (`--variant=extract`), which is its fastest way and the one nearest to ours, as no script runs.
pub fn measure(args: &Args) -> Result<Duration, String> {
    let vendor = args.out.join("vendor");
    files::create_dir_all(&vendor)?;
    process::run("./skerry", &[OsStr::new("vendor"), vendor.as_os_str()])?;
    let packages = packages(&files::read("skerry.lock".as_ref())?, &format!("root/{}/default", args.board))?;
    let tarball = args.out.join("peer.tar");
    let include = format!("--include={}", packages.join(","));
    let source = format!("deb [trusted=yes] copy:{} trixie main", absolute(&vendor)?.to_string_lossy());
    let mut words: Vec<OsString> = ["--variant=extract", &include, "trixie"].map(OsString::from).into();
    words.extend([tarball.into_os_string(), source.into()]);
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    process::run("mmdebstrap", &words).map(|ran| ran.took)
}

fn absolute(path: &std::path::Path) -> Result<std::path::PathBuf, String> {
    path.canonicalize().map_err(|error| format!("no folder `{}`: {error}", path.display()))
}

/// Names of the packages in one set of the lock.
fn packages(_lock: &str, set: &str) -> Result<Vec<String>, String> {
    Err(format!("the lock has no set `{set}`"))
}
