//! mmdebstrap, which composes the same packages into a tarball.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::Args;
use crate::{files, process};

/// How much of its work mmdebstrap does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    /// Unpacks and configures: what a person would run to get a root that works.
    Configured,
    /// Only unpacks, and leaves what maintainer scripts make missing.
    Unpacked,
}

/// mmdebstrap's times.
pub struct Peer {
    /// A root that works, with all packages in a local cache.
    pub configured: Duration,
    /// Packages fetched and unpacked, no script run.
    pub unpacked: Duration,
}

#[derive(Deserialize)]
struct Recipe {
    packages: Vec<String>,
}

#[derive(Deserialize)]
struct Board {
    kernel: Kernel,
}

#[derive(Deserialize)]
struct Kernel {
    package: String,
}

/// Times mmdebstrap on the packages that recipe and board name; it resolves the rest itself.
pub fn measure(args: &Args) -> Result<Peer, String> {
    let recipe: Recipe = data(Path::new("recipes/base.toml"))?;
    let board: Board = data(&Path::new("boards").join(&args.board).join("board.toml"))?;
    let include = format!("--include={},{}", recipe.packages.join(","), board.kernel.package);
    files::create_dir_all(&args.out.join("peer-cache"))?;
    compose(args, &include, Variant::Configured)?; // fills the cache
    let configured = compose(args, &include, Variant::Configured)?;
    Ok(Peer { configured, unpacked: compose(args, &include, Variant::Unpacked)? })
}

/// One run; the hooks that keep packages between runs are those of mmdebstrap's manual.
fn compose(args: &Args, include: &str, variant: Variant) -> Result<Duration, String> {
    let cache = absolute(&args.out.join("peer-cache"))?;
    let cache = cache.display();
    let mut words: Vec<OsString> = vec!["--quiet".into(), include.into()];
    match variant {
        Variant::Unpacked => words.push("--variant=extract".into()),
        Variant::Configured => words.extend([
            "--variant=essential".into(),
            "--skip=download/empty,essential/unlink".into(),
            r#"--setup-hook=mkdir -p "$1"/var/cache/apt/archives/"#.into(),
            format!("--setup-hook=sync-in '{cache}' /var/cache/apt/archives/").into(),
            format!("--customize-hook=sync-out /var/cache/apt/archives '{cache}'").into(),
        ]),
    }
    words.extend(["trixie".into(), args.out.join("peer.tar").into_os_string(), mirror()?.into()]);
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    process::run("mmdebstrap", &words).map(|ran| ran.took)
}

fn data<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, String> {
    toml::from_str(&files::read(path)?).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("no folder `{}`: {error}", path.display()))
}

/// `SKERRY_MIRROR`, else the archive of the host's own apt sources.
fn mirror() -> Result<String, String> {
    if let Ok(named) = std::env::var("SKERRY_MIRROR") {
        return Ok(named);
    }
    let sources = files::list(Path::new("/etc/apt/sources.list.d"));
    let texts = sources.iter().map(PathBuf::as_path).chain([Path::new("/etc/apt/sources.list")]);
    let found = texts.filter_map(|path| files::read(path).ok()).find_map(|text| archive(&text));
    found.ok_or_else(|| "no Debian mirror in apt's sources; name one in SKERRY_MIRROR".to_owned())
}

/// The first archive in apt's sources, in either of their two forms, whose path is `debian`.
fn archive(sources: &str) -> Option<String> {
    let entries = sources.lines().filter(|line| line.starts_with("URIs:") || line.starts_with("deb "));
    let mut words = entries.flat_map(str::split_whitespace);
    words.find(|word| word.contains("://") && word.trim_end_matches('/').ends_with("/debian")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirror_is_found_in_both_forms_of_sources() {
        let one_line =
            "# deb http://a.example/debian x main\ndeb [signed-by=/k] http://b.example/debian/ trixie main\n";
        assert_eq!(archive(one_line).as_deref(), Some("http://b.example/debian/"));
        let deb822 = "Types: deb\nURIs: http://c.example/debian-security http://c.example/debian\nSuites: x\n";
        assert_eq!(archive(deb822).as_deref(), Some("http://c.example/debian"));
        assert_eq!(archive("deb http://d.example/node x main\n"), None);
    }
}
