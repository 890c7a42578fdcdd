//! Composing made-up packages into a golden tree, and each refusal's golden message.

use std::{collections::BTreeMap, path::Path};

use skerry_formats::{arch::Arch, digest::Digest};

use super::{kernel::module_for_tests, *};
use crate::{
    fsx,
    report::print_error,
    store::Store,
    tree::dump::{Detail, dump},
};

/// A member of a made-up package: path, mode, content; `-> target` is a link, `=> target` a hard link, a trailing slash a
/// folder.
type Member<'a> = (&'a str, u32, Vec<u8>);

fn member<'a>(path: &'a str, content: &str) -> Member<'a> {
    (path, 0o644, content.as_bytes().to_vec())
}

fn tar_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, mode, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        let text = String::from_utf8_lossy(content).into_owned();
        let link = text.strip_prefix("-> ").or(text.strip_prefix("=> "));
        header.set_entry_type(match link {
            _ if path.ends_with('/') => tar::EntryType::Directory,
            Some(_) if text.starts_with("->") => tar::EntryType::Symlink,
            Some(_) => tar::EntryType::Link,
            None => tar::EntryType::Regular,
        });
        match link {
            Some(target) => {
                header.set_size(0);
                builder.append_link(&mut header, path, target).unwrap();
            }
            None => {
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, path, &content[..]).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn deb(folder: &Path, name: &str, members: &[Member<'_>]) -> Package {
    let control = tar_of(&[member("./control", &format!("Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\n"))]);
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, data) in [("debian-binary", b"2.0\n".to_vec()), ("control.tar", control), ("data.tar", tar_of(members))]
    {
        bytes.extend_from_slice(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100644, data.len()).as_bytes(),
        );
        bytes.extend_from_slice(&data);
        if data.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    let path = folder.join(format!("{name}.deb"));
    fsx::write_atomic(&path, &bytes).unwrap();
    let [version, size] = ["1.0-1".to_owned(), bytes.len().to_string()];
    Package { name: name.to_owned(), version, path, digest: Digest::of(&bytes), size: size.parse().unwrap() }
}

fn kernel_members() -> Vec<Member<'static>> {
    let module = |name: &str| module_for_tests(name);
    vec![
        member("./boot/vmlinuz-6.1", "MZ kernel"),
        member("./usr/lib/modules/6.1/modules.builtin", "kernel/fs/ext4/ext4.ko\n"),
        ("./usr/lib/modules/6.1/kernel/drivers/md/dm-mod.ko", 0o644, module("depends=")),
        ("./usr/lib/modules/6.1/kernel/drivers/md/dm-verity.ko", 0o644, module("depends=dm-mod")),
        ("./usr/lib/modules/6.1/kernel/fs/erofs/erofs.ko", 0o644, module("depends=")),
        ("./usr/lib/modules/6.1/kernel/fs/overlayfs/overlay.ko", 0o644, module("depends=")),
        ("./usr/lib/modules/6.1/kernel/drivers/net/veth.ko", 0o644, module("depends=")),
        ("./usr/lib/modules/6.1/kernel/drivers/usb/unused.ko", 0o644, module("depends=")),
    ]
}

/// A folder with packages, an overlay and a store.
struct Bench {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let base = [
            ("./", 0o755, vec![]),
            ("./bin", 0o777, b"-> usr/bin".to_vec()),
            ("./tmp/", 0o1777, vec![]),
            member("./usr/share/doc/base-files/copyright", "long"),
            member("./usr/lib/sysusers.d/basic.conf", "u root 0 - /root /bin/sh\ng shadow 42 -\ng mail 8 -\n"),
            member("./usr/share/ca-certificates/b.crt", "BBB"),
            member("./usr/share/ca-certificates/a.crt", "AAA\n"),
        ];
        let tools = [
            ("./usr/sbin/mke2fs", 0o755, b"elf".to_vec()),
            ("./usr/sbin/mkfs.ext4", 0o755, b"=> ./usr/sbin/mke2fs".to_vec()),
            ("./usr/bin/mawk", 0o4755, b"elf".to_vec()),
            member("./usr/lib/systemd/system/node.service", "[Install]\nWantedBy=multi-user.target\n"),
            member("./usr/lib/systemd/system/noise.service", "[Service]\n"),
        ];
        let packages =
            vec![deb(at, "tools", &tools), deb(at, "base-files", &base), deb(at, "kernel", &kernel_members())];
        let overlay = "title = \"t\"\n[links]\n\"etc/mtab\" = \"../proc/self/mounts\"\n\
                       [entries]\n\"var/mail\" = { mode = \"2775\", group = \"mail\" }\n";
        fsx::write_atomic(&at.join("overlay/overlay.toml"), overlay.as_bytes()).unwrap();
        fsx::write_atomic(&at.join("overlay/etc/machine-id"), b"").unwrap();
        let inputs = inputs(packages, at);
        Self { folder, inputs }
    }

    fn with(mut self, name: &str, members: &[Member<'_>]) -> Self {
        self.inputs.packages.push(deb(self.folder.path(), name, members));
        self
    }

    fn compose(&self) -> Result<Root, ComposeError> {
        let store = Store::at(self.folder.path().join("store"));
        root(&self.inputs, &Indexer { store: &store, depmod: &list_modules }, &Reporter::quiet())
    }

    fn refusal(&self) -> String {
        let text = print_error(&self.compose().unwrap_err());
        text.replace(&self.folder.path().display().to_string(), "FOLDER")
    }
}

/// Stands for the index maker: a list of what is there.
fn list_modules(root: &Path, version: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let folder = root.join("lib/modules").join(version);
    let mut list = String::new();
    for part in ["md", "net"] {
        for path in fsx::read_dir(&folder.join("kernel/drivers").join(part))? {
            list.push_str(&format!("{}\n", path.file_name().unwrap_or_default().to_string_lossy()));
        }
    }
    Ok(fsx::write_atomic(&folder.join("modules.dep"), list.as_bytes())?)
}

fn inputs(packages: Vec<Package>, at: &Path) -> Inputs {
    let word = str::to_owned;
    let ids = accounts::FixedIds {
        users: [(word("root"), 0)].into(),
        groups: [(word("shadow"), 42), (word("mail"), 8)].into(),
    };
    let alternatives = [("usr/bin/awk", "usr/bin/mawk"), ("usr/bin/pager", "usr/bin/less")];
    let links = alternatives.map(|(link, target)| (word(link), word(target))).into();
    let drop = DropTable { paths: [(word("usr/share/doc"), word("documentation"))].into() };
    Inputs {
        arch: Arch::Amd64,
        packages,
        files: vec![],
        overlays: vec![at.join("overlay")],
        units: vec![word("node.service")],
        mask: [(word("noise.service"), word("noise"))].into(),
        modules: vec![word("kernel/drivers/net/")],
        initrd_modules: vec![],
        firmware: vec![],
        tables: Tables { ids, alternatives: Alternatives { links }, drop },
        release: Release {
            title: word("Skerry"),
            id: word("skerry"),
            version: word("0.1.0"),
            build_id: word("abc"),
            board: word("qemu"),
            profile: word("default"),
        },
    }
}

fn golden(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/compose").join(name);
    if std::env::var_os("SKERRY_BLESS").is_some() {
        fsx::write_atomic(&path, got.as_bytes()).unwrap();
    }
    assert_eq!(got, fsx::read_to_string(&path).unwrap(), "{name}; SKERRY_BLESS=1 writes it anew");
}

#[test]
fn packages_become_the_golden_tree() {
    let root = Bench::new().compose().unwrap();
    golden("tree.txt", &dump(&root.tree, Detail::Digests));
    assert_eq!(root.kernel.version, "6.1");
}

#[test]
fn the_order_of_packages_does_not_matter() {
    let mut bench = Bench::new();
    let one = bench.compose().unwrap();
    bench.inputs.packages.reverse();
    assert_eq!(one, bench.compose().unwrap());
}

#[test]
fn the_initial_ram_disk_loads_dependencies_first() {
    let root = Bench::new().compose().unwrap();
    let archive = initrd(&root.tree, &root.kernel, &[], crate::tree::Content::from_bytes(*b"init")).unwrap();
    let text = String::from_utf8_lossy(&archive);
    let list = text.split("etc/modules\0").nth(1).unwrap().trim_start_matches('\0');
    let order = list.lines().take_while(|line| line.ends_with(".ko"));
    let names: Vec<&str> = order.filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!(names, ["dm-mod.ko", "dm-verity.ko", "erofs.ko", "overlay.ko"]);
}

#[test]
fn seeds_are_an_archive_of_their_own() {
    let seed = BakedSeed { name: "10-role.yaml".to_owned(), text: "skerry:\n  role: single\n".to_owned() };
    let archive = seed_cpio(&[seed]).unwrap();
    assert!(String::from_utf8_lossy(&archive).contains("seeds/10-role.yaml\0"));
    let escape = BakedSeed { name: "../init".to_owned(), text: String::new() };
    assert!(matches!(seed_cpio(&[escape]), Err(ComposeError::Path(_))));
}

#[test]
fn refusals_have_golden_messages() {
    let mut text = String::new();
    let mut refuse = |title: &str, bench: Bench| text.push_str(&format!("# {title}\n{}\n", bench.refusal()));
    refuse("usr-merge violation", Bench::new().with("old", &[member("./bin/old", "elf")]));
    refuse("replaced usr-merge link", Bench::new().with("old", &[("./lib/", 0o755, vec![])]));
    refuse("two packages, one path", Bench::new().with("other", &[member("./usr/bin/mawk", "other")]));
    let chrony = member("./usr/lib/sysusers.d/chrony.conf", "u! _chrony - \"time\"\n");
    refuse("unknown account", Bench::new().with("chrony", &[chrony]));
    refuse("hard link to nothing", Bench::new().with("dev", &[member("./dev/x", "=> ./gone")]));
    for (title, change) in changes() {
        let mut bench = Bench::new();
        change(&mut bench.inputs);
        refuse(title, bench);
    }
    golden("refusals.txt", &text);
}

type Change = fn(&mut Inputs);

fn changes() -> BTreeMap<&'static str, Change> {
    let module: Change = |inputs| inputs.modules.push("vteh".to_owned());
    let folder: Change = |inputs| inputs.modules.push("kernel/drivers/nte/".to_owned());
    let unit: Change = |inputs| inputs.units.push("nod.service".to_owned());
    let mask: Change = |inputs| drop(inputs.mask.insert("nosie.service".to_owned(), String::new()));
    let both: Change = |inputs| drop(inputs.mask.insert("node.service".to_owned(), String::new()));
    let firmware: Change = |inputs| inputs.firmware.push("brcm/".to_owned());
    let kernel: Change = |inputs| inputs.packages.truncate(2);
    let gone: Change = |inputs| {
        inputs.packages[0].path.set_extension("gone");
    };
    [
        ("module missing", module),
        ("module folder missing", folder),
        ("unit enabled but missing", unit),
        ("unit masked but missing", mask),
        ("unit enabled and masked", both),
        ("firmware missing", firmware),
        ("no kernel", kernel),
        ("package file gone", gone),
    ]
    .into()
}

#[test]
fn shipped_tables_load() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
    let tables = Tables::load(&recipes).unwrap();
    assert_eq!(tables.ids.users.get("kube-apiserver"), Some(&300));
}
