//! Go, as `skerry build` runs it: with its flags, and from its caches, which have most of everything already.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::{files, process};

/// Folders of modules of ours.
const MODULES: [&str; 2] = ["recipes/components", "recipes/go"];

/// Vets and tests every module of ours that has tests.
pub fn test() -> Result<(), String> {
    let modules = MODULES.iter().flat_map(|folder| files::list(Path::new(folder)));
    for module in modules.filter(|module| has_tests(module)) {
        let module = module.display().to_string();
        println!("{module}");
        go(&module, &["vet", "./..."])?;
        go(&module, &["test", "-vet=off", "./..."])?;
    }
    Ok(())
}

fn has_tests(module: &Path) -> bool {
    files::list(module).iter().any(|file| file.to_string_lossy().ends_with("_test.go"))
}

/// Runs `go` in a module's folder.
pub fn go(module: &str, words: &[&str]) -> Result<(), String> {
    let (verb, rest) = words.split_first().ok_or("nothing to do")?;
    let cache = variable("SKERRY_CACHE").unwrap_or_else(|| {
        let own = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
        own.unwrap_or_default().join("skerry")
    });
    let folder = |name: &str, below: &str| match variable(name) {
        Some(own) => format!("{name}={}", own.display()),
        None => format!("{name}={}", cache.join(below).display()),
    };
    let (modules, built) = (folder("GOMODCACHE", "go/mod"), folder("GOCACHE", "go/build"));
    let head =
        ["CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOAMD64=v1", "GOGC=400", &modules, &built, "go", verb, "-C", module];
    let all = [&head[..], &["-trimpath", "-buildvcs=false", "-modcacherw"], rest].concat();
    process::run("env", &all.into_iter().map(OsStr::new).collect::<Vec<_>>()).map(drop)
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}
