//! Go: a module in a component's folder, built without anything of the host but the compiler itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use skerry_formats::arch::Arch;

use super::{Cgo, Component, ComponentError, Program, cgo, key, workshop::Job};
use crate::{
    fsx::{self, FsError},
    store::Key,
    tool::{Tool, ToolError},
};

/// The host's Go: its version, and how it reaches modules.
#[derive(Clone, Debug)]
pub(super) struct Go {
    program: PathBuf,
    version: String,
    access: BTreeMap<String, String>,
}

/// Variables that say from where and how modules may come; they change no byte of what is built, as `go.sum` pins it.
const ACCESS: [&str; 7] = ["GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOAUTH"];

/// Variables of the host that the download needs: proxies, certificates, credentials in the home folder.
const INHERITED: [&str; 9] = [
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

impl Go {
    /// Asks the host's `go`, on `PATH` or where its own installer puts it.
    pub(super) fn find() -> Result<Self, ComponentError> {
        match Self::ask("go".into()) {
            Err(ComponentError::Tool(ToolError::Missing { .. })) => Self::ask("/usr/local/go/bin/go".into()),
            other => other,
        }
    }

    fn ask(program: PathBuf) -> Result<Self, ComponentError> {
        let tool = ACCESS.iter().chain(&INHERITED).fold(Tool::new(&program), |tool, name| tool.inherit(name));
        let tool = tool.inherit("GOENV").inherit("GOFLAGS").env("GOTOOLCHAIN", "local");
        let output = tool.args(["env", "-json", "GOVERSION", "GOFLAGS"]).args(ACCESS).output()?;
        let mut access: BTreeMap<String, String> = serde_json::from_slice(&output).map_err(|_| {
            let answer = String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned();
            ComponentError::Answer { tool: "go env", answer }
        })?;
        let version = access.remove("GOVERSION").unwrap_or_default();
        let flags = access.remove("GOFLAGS").unwrap_or_default();
        // A host's `-mod` decides from where modules come; any other flag would change what is built.
        let flags = flags.split_whitespace().filter(|flag| flag.starts_with("-mod=")).collect::<Vec<_>>();
        access.insert("GOFLAGS".to_owned(), [&["-modcacherw"], &flags[..]].concat().join(" "));
        Ok(Self { program, version, access })
    }

    fn tool(&self, cache: &Path) -> Tool {
        let tool = INHERITED.iter().fold(Tool::new(&self.program), |tool, name| tool.inherit(name));
        let tool = self.access.iter().fold(tool, |tool, (name, value)| tool.env(name, value));
        let folder = |name: &str, below: &str| std::env::var_os(name).unwrap_or_else(|| cache.join(below).into());
        // The compiler's own collector: a quarter less of its time, and no more than 1 GB for Kubernetes' largest package.
        tool.env("GOGC", "400")
            .env("GOENV", "off")
            .env("GOTOOLCHAIN", "local")
            .env("GOWORK", "off")
            .env("GOPATH", cache.join("go"))
            .env("GOMODCACHE", folder("GOMODCACHE", "go/mod"))
            .env("GOCACHE", folder("GOCACHE", "go/build"))
    }
}

/// The build of one Go component for one architecture.
pub(super) struct GoJob<'a> {
    pub(super) go: &'a Go,
    pub(super) cache: &'a Path,
    pub(super) component: &'a Component,
    pub(super) arch: Arch,
    pub(super) recipe: GoRecipe<'a>,
    pub(super) sysroot: super::workshop::Locked<'a>,
}

/// The fields of [`super::Kind::Go`] that a build needs.
pub(super) struct GoRecipe<'a> {
    pub(super) tags: &'a [String],
    pub(super) stamps: &'a BTreeMap<String, String>,
    pub(super) cgo: Option<&'a Cgo>,
}

impl Job for GoJob<'_> {
    fn inputs(&self, key: Key) -> Result<Key, ComponentError> {
        let key = key.with("go", &self.go.version).with("flags", "trimpath,buildvcs=false,s,w,buildid=,GOAMD64=v1");
        let key = with_neighbours(key, &self.component.folder)?;
        if self.recipe.cgo.is_none() {
            return Ok(key);
        }
        Ok(key.with("cc", cgo::compiler_version(self.arch)?).with("sysroot", self.sysroot.digest()?))
    }

    fn make(&self, program: &Program, out: &Path) -> Result<(), ComponentError> {
        let mut tags: Vec<&str> = self.recipe.tags.iter().chain(&program.tags).map(String::as_str).collect();
        tags.sort_unstable();
        let tool = self.go.tool(self.cache).dir(&self.component.folder);
        let tool =
            tool.env("GOOS", "linux").env("GOARCH", self.arch.debian()).env("GOAMD64", "v1").env("GOARM64", "v8.0");
        let (tool, link) = self.with_c(tool)?;
        let names = if program.linkname { " -checklinkname=0" } else { "" };
        let flags = format!("-s -w -buildid={names}{}{link}", self.stamps());
        let built = tool
            .args(["build", "-trimpath", "-buildvcs=false", "-tags", &tags.join(","), "-ldflags", &flags, "-o"])
            .args([out])
            .args([&program.package])
            .output();
        built.map(|_| ()).map_err(|source| ComponentError::Build { component: self.component.name.to_string(), source })
    }
}

impl GoJob<'_> {
    fn stamps(&self) -> String {
        let version = self.component.version.to_string();
        self.recipe
            .stamps
            .iter()
            .map(|(name, value)| format!(" -X '{name}={}'", value.replace("{version}", &version)))
            .collect()
    }

    /// Sets up the C compiler, or rules it out; the second value is what the linker must be told.
    fn with_c(&self, tool: Tool) -> Result<(Tool, String), ComponentError> {
        let Some(cgo) = self.recipe.cgo else { return Ok((tool.env("CGO_ENABLED", "0"), String::new())) };
        let sysroot = self.sysroot.unpacked()?;
        let arguments = cgo::link_arguments(&sysroot, self.arch);
        let quoted = arguments.iter().map(|argument| format!("'{argument}'")).collect::<Vec<_>>().join(" ");
        let libraries: String = cgo.libraries.iter().map(|library| format!(" -l{library}")).collect();
        let tool = tool
            .env("CGO_ENABLED", "1")
            .env("CC", cgo::compiler(self.arch))
            .env("CGO_CFLAGS", format!("-O2 -g0 '{}'", cgo::compile_argument(&sysroot)))
            .env("CGO_LDFLAGS", format!("-O2 {quoted}{libraries}"))
            // Instead of the host's pkg-config, which knows the host's libraries: answers every question with nothing.
            .env("PKG_CONFIG", "true");
        Ok((tool, format!(" -linkmode=external -extldflags \"-static {quoted} -Wl,--build-id=none\"")))
    }
}

/// Adds the files of the modules that `go.mod` takes from folders beside it.
fn with_neighbours(mut key: Key, folder: &Path) -> Result<Key, FsError> {
    let text = fsx::read_to_string(&folder.join("go.mod"))?;
    for path in text.lines().filter_map(|line| line.split_once(" => ")?.1.split_whitespace().next()) {
        if path.starts_with('.') {
            let neighbour = folder.join(path);
            key = key::with_files(key.with("module", path), &neighbour, &neighbour)?;
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests;
