//! What `component` promises.

use std::path::{Path, PathBuf};

use skerry_formats::{arch::Arch, digest::Digest};

use super::*;
use crate::{fsx, report::Reporter, store::Store, tree::Content};

/// Sets that are folders of a test.
#[derive(Debug)]
struct Folders(PathBuf);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl PackageSets for Folders {
    fn digest(&self, set: &str) -> Result<Digest, BoxError> {
        Ok(Digest::of(set.as_bytes()))
    }

    fn unpacked(&self, set: &str) -> Result<PathBuf, BoxError> {
        Ok(self.0.join(set))
    }
}

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
    toolchain: Toolchain,
    packages: Folders,
    reporter: Reporter,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        Self {
            store: Store::at(root.join("cache")),
            toolchain: Toolchain::new(root.join("cache"), root.join("workspace")),
            packages: Folders(root.join("sets")),
            reporter: Reporter::quiet(),
            dir,
        }
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        fsx::create_dir_all(path.parent().unwrap()).unwrap();
        fsx::write_atomic(&path, text.as_bytes()).unwrap();
        path
    }

    fn component(&self, name: &str, text: &str) -> Component {
        let path = self.write(&format!("recipes/{name}/component.toml"), text);
        Component::load(path.parent().unwrap()).unwrap()
    }

    fn workshop(&self) -> Workshop<'_> {
        Workshop { store: &self.store, toolchain: &self.toolchain, packages: &self.packages, reporter: &self.reporter }
    }
}

const SHELL: &str = r#"
name = "shell"
version = "1.0"
kind = "debian"
set = "shell"
[[program]]
package = "/usr/bin/shell"
install = "/bin/shell"
[image]
name = "localhost/sk8s/shell"
command = ["sh"]
[image.folders]
"/tmp" = "1777"
[image.files]
"/etc/passwd" = "root:x:0:0:root:/:/bin/sh\n"
[image.links]
"/bin/shell" = ["sh", "ls"]
"#;

#[test]
fn a_package_file_becomes_an_image_of_its_architecture() {
    let bench = Bench::new();
    bench.write("sets/shell/amd64/usr/bin/shell", "for amd64");
    bench.write("sets/shell/arm64/usr/bin/shell", "for arm64");
    let component = bench.component("shell", SHELL);
    let amd64 = bench.workshop().build(&component, Arch::Amd64).unwrap();
    let arm64 = bench.workshop().build(&component, Arch::Arm64).unwrap();
    assert_eq!(amd64.files[0].install.to_string(), "/usr/share/sk8s/images/shell.tar");
    assert_eq!(amd64.files[0].mode, 0o644);
    assert_ne!(amd64.files[0].content.digest(), arm64.files[0].content.digest());
    assert_eq!(
        String::from_utf8(images_json(&[amd64, arm64])).unwrap(),
        "{\n  \"shell\": \"localhost/sk8s/shell:1.0\"\n}\n"
    );
}

#[test]
fn an_image_keeps_nothing_but_its_archive() {
    let bench = Bench::new();
    bench.write("sets/shell/amd64/usr/bin/shell", "for amd64");
    let built = bench.workshop().build(&bench.component("shell", SHELL), Arch::Amd64).unwrap();
    let Content::Stored { path, .. } = &built.files[0].content else { panic!("not in the store") };
    let names: Vec<_> = fsx::read_dir(path.parent().unwrap()).unwrap();
    let names: Vec<_> = names.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["built.json", "shell.tar"]);
}

#[test]
fn several_come_in_their_order_and_after_a_failure_no_other_is_begun() {
    let bench = Bench::new();
    bench.write("sets/shell/amd64/usr/bin/shell", "for amd64");
    let text = |name: &str| SHELL.replace("name = \"shell\"", &format!("name = \"{name}\""));
    let [one, two, three] = ["one", "two", "three"].map(|name| bench.component(name, &text(name)));
    let absent = bench.component("absent", &text("absent").replace("/usr/bin/shell", "/usr/bin/absent"));
    let built = bench.workshop().build_all(&[&two, &one], Arch::Amd64).unwrap();
    assert_eq!(built.iter().map(|built| built.name.as_str()).collect::<Vec<_>>(), ["two", "one"]);
    assert!(bench.workshop().build_all(&[&one, &absent, &three], Arch::Amd64).is_err());
    assert!(!bench.workshop().has(&three, Arch::Amd64).unwrap());
}

#[test]
fn a_missing_package_set_is_named() {
    let bench = Bench::new();
    let component = bench.component("shell", SHELL);
    let workshop = Workshop { packages: &NoPackages, ..bench.workshop() };
    let error = workshop.build(&component, Arch::Arm64).unwrap_err();
    assert_eq!(error.to_string(), "could not get the packages of `shell/arm64`");
}

#[test]
fn our_own_programs_depend_on_their_sources_and_the_lock_file_alone() {
    let bench = Bench::new();
    let text = "name = 'own'\nversion = '1.0'\nkind = 'rust'\nsources = ['own', 'shared']\n\
                [[program]]\npackage = 'own'\nbinary = 'own'\ninstall = '/usr/bin/own'\n";
    let component = bench.component("own", text);
    for path in ["Cargo.toml", "Cargo.lock", "own/src/main.rs", "shared/src/lib.rs", "other/src/lib.rs"] {
        bench.write(&format!("workspace/{path}"), "1");
    }
    let key = || bench.workshop().key(&component, Arch::Amd64).unwrap();
    let before = key();
    for path in ["other/src/lib.rs", "own/target/debris"] {
        bench.write(&format!("workspace/{path}"), "2");
        assert_eq!(key(), before, "{path}");
    }
    let mut last = before;
    for path in ["Cargo.lock", "own/src/main.rs", "shared/src/lib.rs", "shared/src/new.rs"] {
        bench.write(&format!("workspace/{path}"), "2");
        assert_ne!(key(), last, "{path}");
        last = key();
    }
}

#[test]
fn no_path_of_the_host_is_part_of_a_key() {
    let (one, other) = (Bench::new(), Bench::new());
    let key = |bench: &Bench| bench.workshop().key(&bench.component("shell", SHELL), Arch::Amd64).unwrap();
    assert_eq!(key(&one), key(&other));
    assert!(key(&one).inputs().iter().all(|(_, value)| !Path::new(value).is_absolute()));
}
