//! The one file of sk8s: composed from a small store, and read back by the program that it is for.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "these are tests")]

use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use skerry::{
    catalog::Catalog,
    component::{PackageSets, Toolchain, Workshop},
    onefile::{self, OneFile, OneFileError},
    plan::host_arch,
    report::{Explain as _, Outcome, Reporter},
    store::{self, Store},
};
use skerry_formats::{arch::Arch, digest::Digest, name::Name};

/// Package sets that are folders.
#[derive(Debug)]
struct Folders(PathBuf);

impl PackageSets for Folders {
    fn digest(&self, set: &str) -> Result<Digest, Box<dyn Error + Send + Sync>> {
        Ok(Digest::of(set.as_bytes()))
    }

    fn unpacked(&self, set: &str) -> Result<PathBuf, Box<dyn Error + Send + Sync>> {
        Ok(self.0.join(set))
    }
}

/// A catalogue and a store of nothing but copied files.
struct Bench {
    folder: tempfile::TempDir,
}

const PROGRAM: (&str, &str) = ("own", "/usr/bin/sk8s");
const PARTS: [(&str, &str); 2] = [("kubernetes", "/usr/libexec/sk8s/kube"), ("plugins", "/usr/libexec/cni/bridge")];

impl Bench {
    fn new(components: &[&str]) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let list: Vec<String> = components.iter().map(|name| format!("'{name}'")).collect();
        bench
            .write("recipes/sk8s.toml", &format!("title = 'x'\nprogram = 'own'\ncomponents = [{}]\n", list.join(", ")));
        bench.write("recipes/sets.toml", "[files]\ntitle = 'x'\nfor = 'target'\npackages = ['files']\n");
        for (name, install) in PARTS.iter().chain([&PROGRAM, &("stray", "/usr/bin/stray")]) {
            bench.component(name, install, "");
        }
        bench.component("pause", "/pause", "[image]\nname = 'localhost/sk8s/pause'\nentrypoint = ['/pause']\n");
        for arch in Arch::ALL {
            let files = bench.path(&format!("sets/files/{arch}"));
            fs::create_dir_all(&files).unwrap();
            for name in ["kubernetes", "plugins", "pause", "stray"] {
                fs::write(files.join(name), format!("{name} for {arch} ").repeat(1000)).unwrap();
            }
            fs::write(files.join("own"), stand_in()).unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn component(&self, name: &str, install: &str, more: &str) {
        let text = format!(
            "name = '{name}'\nversion = '1.2.3'\nkind = 'debian'\nset = 'files'\n\
             [[program]]\npackage = '/{name}'\ninstall = '{install}'\n{more}"
        );
        self.write(&format!("recipes/components/{name}/component.toml"), &text);
    }

    fn make(&self, arch: Arch, reporter: &Reporter) -> Result<OneFile, OneFileError> {
        let plan = onefile::resolve(&Catalog::at(self.folder.path()), arch, &[]).unwrap();
        let (store, packages) = (Store::at(self.path("cache")), Folders(self.path("sets")));
        let toolchain = Toolchain::new(self.path("cache"), self.path("workspace"));
        let workshop = Workshop { store: &store, toolchain: &toolchain, packages: &packages, reporter };
        onefile::make(&plan, &workshop, &self.path("out/sk8s-x"))
    }
}

/// The smallest thing that ends like a program: a head and an empty table of sections behind it.
fn stand_in() -> Vec<u8> {
    let mut program = vec![0; 128];
    program[..6].copy_from_slice(b"\x7fELF\x02\x01");
    program[40..48].copy_from_slice(&64_u64.to_le_bytes());
    (program[58], program[60]) = (64, 1);
    program
}

const ALL: [&str; 3] = ["kubernetes", "plugins", "pause"];

#[test]
fn what_was_composed_is_laid_out_by_sk8s() {
    let bench = Bench::new(&ALL);
    let arch = host_arch().unwrap();
    let made = bench.make(arch, &Reporter::quiet()).unwrap();
    assert_eq!(store::measure(&made.path).unwrap(), (made.sha256, made.size));
    assert_eq!(fs::metadata(&made.path).unwrap().permissions().mode() & 0o7777, 0o755);
    let sum = fs::read_to_string(bench.path("out/sk8s-x.sha256")).unwrap();
    assert_eq!(sum, format!("{}  sk8s-x\n", made.sha256));

    let payload = sk8s::payload::Payload::of(&made.path).unwrap().unwrap();
    let versions: Vec<String> = payload.index().components().iter().map(|(n, v)| format!("{n} {v}")).collect();
    assert_eq!(versions, ["kubernetes 1.2.3", "pause 1.2.3", "plugins 1.2.3"]);
    let ready = sk8s::payload::ensure(&payload, &bench.path("data")).unwrap();
    let paths = ready.places(sk8s::paths::Paths::default());
    for (path, mode, text) in [
        (paths.components.join("kube"), 0o755, format!("kubernetes for {arch} ").repeat(1000)),
        (paths.cni.join("bridge"), 0o755, format!("plugins for {arch} ").repeat(1000)),
        (paths.images_list(), 0o644, "{\n  \"pause\": \"localhost/sk8s/pause:1.2.3\"\n}\n".to_owned()),
    ] {
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", path.display());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode, "{}", path.display());
    }
    let archive = fs::File::open(paths.images.join("pause.tar")).unwrap();
    assert_eq!(sk8s::images::index(archive).unwrap()[0].reference, "localhost/sk8s/pause:1.2.3");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    for arch in Arch::ALL {
        let made = [&ALL[..], &["pause", "plugins", "kubernetes"]].map(|components| {
            let bench = Bench::new(components);
            bench.make(arch, &Reporter::quiet()).unwrap().sha256
        });
        assert_eq!(made[0], made[1], "{arch}");
    }
}

#[test]
fn nothing_is_compressed_twice() {
    let bench = Bench::new(&ALL);
    let made = |outcome| {
        let reporter = Reporter::quiet();
        let made = bench.make(Arch::Arm64, &reporter).unwrap();
        let step = reporter.finished().into_iter().find(|step| step.title == "compress components").unwrap();
        assert_eq!(step.outcome, outcome);
        made
    };
    let first = made(Outcome::Made);
    assert_eq!(made(Outcome::FromStore), first);
}

/// What is said of a file that cannot be made; nothing of it may be left.
fn refused(bench: &Bench) -> String {
    let error = bench.make(Arch::Amd64, &Reporter::quiet()).unwrap_err();
    let left = fs::read_dir(bench.path("out")).map(Iterator::count).unwrap_or_default();
    assert_eq!((left, error.exit_code()), (0, 2));
    error.to_string()
}

#[test]
fn a_component_that_sk8s_does_not_look_for_is_refused() {
    let bench = Bench::new(&["kubernetes", "stray"]);
    assert_eq!(refused(&bench), "`stray` installs `/usr/bin/stray`, where sk8s looks for nothing");
}

#[test]
fn a_program_with_something_behind_it_already_is_refused() {
    let bench = Bench::new(&ALL);
    let mut program = stand_in();
    program.push(0);
    fs::write(bench.path("sets/files/amd64/own"), program).unwrap();
    assert!(refused(&bench).starts_with("`own` is not one program"));
}

fn shipped() -> Catalog {
    Catalog::at(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

#[test]
fn the_shipped_file_carries_what_an_image_has() {
    // An image has our own two programs by itself, and this one as a package.
    let (beside, package) = (["agent", "distro"], "nftables");
    let names = |list: Vec<Name>| list.iter().map(Name::to_string).collect::<BTreeSet<String>>();
    let recipe = shipped().recipe(&"default".parse().unwrap()).unwrap();
    assert!(recipe.packages.contains(&package.to_owned()), "{:?}", recipe.packages);
    let mut image = names(recipe.components);
    image.retain(|name| !beside.contains(&name.as_str()));
    image.insert(package.to_owned());
    assert_eq!(names(shipped().one_file().unwrap().components), image);
    for arch in Arch::ALL {
        let plan = onefile::resolve(&shipped(), arch, &[]).unwrap();
        let sets: Vec<String> = plan.sets().iter().map(ToString::to_string).collect();
        let host = host_arch().unwrap();
        let files = ["busybox", "nftables", "rust-std", "sysroot"].map(|set| format!("{set}/{arch}"));
        assert_eq!(sets, [&files[..2], &[format!("rust/{host}")], &files[2..]].concat());
    }
}

#[test]
fn the_version_of_sk8s_is_that_of_the_kubernetes_it_carries() {
    let plan = onefile::resolve(&shipped(), Arch::Amd64, &[]).unwrap();
    let kubernetes = plan.components.iter().find(|component| component.name.as_str() == "kubernetes").unwrap();
    assert!(sk8s::version::VERSION.starts_with(&format!("v{}+sk8s.", kubernetes.version)));
}
