//! Strange surroundings for a build: another folder, user and home, another umask, locale, time zone and day.
//!
//! Run by root, the build is handed to a user who owns nothing else; run by anyone else, it is that user's own.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Broken, Check, cli, process::Program};

/// A user and group without a file or a right on any host.
const NOBODY: &str = "65534";
/// What of a checkout goes into a build.
const SOURCES: [&str; 14] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "agent",
    "boards",
    "builder",
    "distro",
    "formats",
    "overlays",
    "qemu",
    "recipes",
    "skerry.lock",
    "tests",
    "xtask",
];
/// How a build reaches the network, if it must.
const WAYS: [&str; 8] = [
    "SKERRY_MIRROR",
    "SKERRY_MIRROR_SECURITY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A folder with a copy of the host tool and of the checkout, owned by the plain user.
#[derive(Debug)]
pub struct Elsewhere {
    folder: tempfile::TempDir,
}

impl Elsewhere {
    /// Copies the tool and the checkout, as a user with a narrow umask would.
    ///
    /// # Errors
    /// If they cannot be copied.
    pub fn new(tool: &Path) -> Check<Self> {
        let failed = Broken::when::<std::io::Error>("could not make a folder elsewhere");
        let folder = tempfile::Builder::new().prefix("skerry elsewhere ").tempdir().map_err(&failed)?;
        let here = Self { folder };
        for name in ["home", "source", "store"] {
            std::fs::create_dir(here.path(name)).map_err(&failed)?;
        }
        let sources = SOURCES.map(|name| cli::source().join(name));
        shell("umask 077; exec cp -r -- \"$@\"").args(sources).arg(here.path("source")).finish()?.success()?;
        shell("exec cp -- \"$@\"").args([tool, &here.path("skerry")]).finish()?.success()?;
        if is_root() {
            let owner = format!("{NOBODY}:{NOBODY}");
            Program::new("chown").args(["-R", &owner]).arg(here.folder.path()).finish()?.success()?;
        }
        Ok(here)
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives the store here the packages and components of another; nothing that was made from them.
    ///
    /// # Errors
    /// If they can neither be linked nor copied.
    pub fn stock(&self, from: &Path) -> Check {
        let script = "set -e; umask 022; from=$1; to=$2\n\
            take() { cp -rl -- \"$1\" \"$2\" 2>/dev/null || { rm -rf -- \"$2\"; cp -r -- \"$1\" \"$2\"; }; }\n\
            take \"$from/blobs\" \"$to/blobs\"\n\
            for record in \"$from\"/made/*/*/built.json; do\n\
              made=${record%/*}; shelf=${made%/*}; mkdir -p \"$to/made/${shelf##*/}\"\n\
              take \"$made\" \"$to/made/${shelf##*/}/${made##*/}\"\n\
            done";
        let stocked = shell(script).args([from, &self.path("store")]).limit(Duration::from_secs(300));
        stocked.finish()?.success()?;
        if !is_root() {
            return Ok(());
        }
        // Folders only: a linked file is the other store's too.
        let owner = format!("{NOBODY}:{NOBODY}");
        let chown = ["-type", "d", "-exec", "chown", &owner, "{}", "+"];
        Program::new("find").arg(self.path("store")).args(chown).finish()?.success().map(|_| ())
    }

    /// A program as the plain user runs it, under all that is strange here.
    #[must_use]
    pub fn program(&self, words: &[&str]) -> Program {
        let script = ["-c", "umask 077; exec \"$@\"", "sh"];
        let program = if is_root() {
            let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()];
            Program::new("setpriv").args(user).arg("/bin/sh").args(script)
        } else {
            Program::new("/bin/sh").args(script)
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = program.args(words).dir(self.folder.path()).bare().env("PATH", path);
        let program = program.env("HOME", self.path("home")).env("LC_ALL", "tr_TR.UTF-8").env("LANG", "de_DE.UTF-8");
        let program = program.env("TZ", "Pacific/Chatham").env("NO_COLOR", "1");
        let program = program.env("SKERRY_SOURCE", self.path("source")).env("SKERRY_CACHE", self.path("store"));
        WAYS.iter().fold(program, |program, name| match std::env::var_os(name) {
            Some(value) => program.env(name, value),
            None => program,
        })
    }
}

/// Whether we may become another user.
#[must_use]
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The store that the host tool uses when run by us.
#[must_use]
pub fn own_store() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let below = |folder: Option<PathBuf>, rest: &str| folder.map(|folder| folder.join(rest));
    variable("SKERRY_CACHE")
        .or_else(|| below(variable("XDG_CACHE_HOME"), "skerry"))
        .or_else(|| below(variable("HOME"), ".cache/skerry"))
        .unwrap_or_default()
}

/// Names in a folder, sorted; none if there is no folder.
///
/// # Errors
/// If it cannot be listed.
pub fn names(folder: &Path) -> Check<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let failed = Broken::when::<std::io::Error>("could not list a folder");
    let entries = std::fs::read_dir(folder).map_err(&failed)?.collect::<Result<Vec<_>, _>>().map_err(&failed)?;
    let mut names: Vec<String> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Sets permission bits.
///
/// # Errors
/// If the path is not ours.
pub fn set_mode(path: &Path, mode: u32) -> Check {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(Broken::when("could not set a mode"))
}

fn shell(script: &str) -> Program {
    Program::new("/bin/sh").args(["-c", script, "sh"])
}
