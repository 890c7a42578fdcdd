//! Another version in the place of the one that ran before: on to it, back from it, and what is refused.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use skerry_formats::payload::{self, Index, TRAILER, Trailer};

use super::{machine::Machine, node::Node, single::assert_web_answers};

const WEB: &str = include_str!("web.yaml");
const DATA: &str = "/var/lib/sk8s";
const OWN: &str = sk8s::version::VERSION;

impl Node {
    /// Has the data say that another version ran last.
    fn was(&self, version: &str) {
        self.machine.shell(&format!("echo {version} > {DATA}/version"));
    }

    fn is(&self) -> String {
        self.machine.shell(&format!("cat {DATA}/version"))
    }

    fn backups(&self) -> Vec<String> {
        self.machine.shell(&format!("ls {DATA}/upgrades")).lines().map(ToOwned::to_owned).collect()
    }

    /// Refuses to run where `version` ran, says `why`, and leaves the data as they are.
    fn refuses(&mut self, version: &str, why: &str) {
        let state = format!("find {DATA} -type f ! -name version -exec sha256sum {{}} + | sort");
        let before = self.machine.shell(&state);
        self.was(version);
        self.start_again();
        assert_eq!(self.ended(), Some(2), "{version}");
        let last = self.machine.shell("tail -n 4 /var/log/sk8s.log");
        assert!(last.contains(&format!("{version} ran here before")) && last.contains(why), "{last}");
        assert_eq!((self.is(), self.machine.shell(&state)), (version.to_owned(), before));
    }
}

/// Goes on from other versions on one kind of datastore, and restores what was saved before.
fn goes_on_and_back(storage: &str) {
    let machine = Machine::boot_alone("barn");
    machine.shell(&format!("echo '{storage}' > /etc/sk8s.yaml"));
    let mut node = Node::start(machine, &["controller", "--single", "--config=/etc/sk8s.yaml"]);
    node.wait_ready();
    assert_eq!(node.is(), OWN);
    assert!(node.writes("before"));
    node.stop();
    node.refuses("v1.99.0+sk8s.1", "hint: run v1.99.0+sk8s.1 again");
    node.refuses("v1.34.9+sk8s.1", "hint: run a sk8s v1.35 first");
    assert!(node.backups().is_empty());
    node.was("v1.35.9+sk8s.4");
    node.start_again();
    node.wait_ready();
    assert_eq!((node.is().as_str(), node.backups().len()), (OWN, 1));
    assert!(node.writes("after"));
    node.stop();
    restores(&mut node);
}

/// What was saved before the step is a whole cluster, without what came later.
fn restores(node: &mut Node) {
    let backup = format!("/var/kept/{}", node.backups().remove(0));
    node.machine.shell(&format!("mv {DATA}/upgrades /var/kept"));
    assert!(node.sk8s(&["reset"]).status.success());
    let restored = node.sk8s(&["restore", &backup]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(node.is(), "v1.35.9+sk8s.4", "it is for the version that was left");
    node.start_again();
    node.wait_ready();
    let names = ["get", "configmap", "--ignore-not-found", "-o=name", "before", "after"];
    assert_eq!(node.said(&names), "configmap/before");
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_step_between_versions_is_saved_before_or_refused() {
    goes_on_and_back("");
    goes_on_and_back("spec: {storage: {type: etcd}}");
}

/// The file of another version: the same programs under another index, so that they get a folder of their own.
fn other_version(file: &Path) -> Vec<u8> {
    let bytes = std::fs::read(file).expect("SK8S_FILE");
    let size = bytes.len();
    let trailer = payload::find(&bytes[..64], &bytes[size - TRAILER..], size as u64);
    let trailer = trailer.expect("sound").expect("there");
    let (at, length) = trailer.index_place();
    let (at, length) = (usize::try_from(at).expect("small"), usize::try_from(length).expect("small"));
    let index = trailer.index(&bytes[at..at + length]).expect("sound");
    let mut components = index.components().clone();
    components.insert("trial".parse().expect("a name"), "1".parse().expect("a version"));
    let index = Index::new(index.arch(), components, index.files().to_vec()).expect("sound");
    let trailer = Trailer::new(trailer.frame_place(), &index).expect("short");
    [&bytes[..at], &index.to_json(), &trailer.to_bytes()].concat()
}

const PROGRAM: &str = "/var/sk8s";

impl Node {
    /// Puts another file in the program's place while nothing runs, and starts that.
    fn replace(&mut self, file: &Path) {
        self.stop();
        put(&self.machine, file);
        self.start_again();
        self.wait_ready();
    }

    /// The folder of components that a program runs from.
    fn folder_of(&self, program: &str) -> String {
        self.machine.shell(&format!("readlink /proc/$(pgrep -x -o {program})/exe | cut -d/ -f6"))
    }

    fn folders(&self) -> usize {
        self.machine.shell(&format!("ls {DATA}/components")).lines().count()
    }
}

fn put(machine: &Machine, file: &Path) {
    machine.shell(&format!("cp {} {PROGRAM}.new && mv {PROGRAM}.new {PROGRAM}", file.display()));
}

#[test]
#[ignore = "needs root, systemd and the file that `skerry sk8s` makes"]
fn another_file_takes_over_and_the_first_comes_back_while_pods_run_on() {
    let first = PathBuf::from(std::env::var("SK8S_FILE").expect("SK8S_FILE is set"));
    let folder = tempfile::tempdir().expect("a folder");
    let second = folder.path().join("sk8s");
    std::fs::write(&second, other_version(&first)).expect("written");
    std::fs::set_permissions(&second, PermissionsExt::from_mode(0o755)).expect("ours");
    let machine = Machine::boot_alone("barn");
    put(&machine, &first);
    let mut node = Node::start_file(machine, PROGRAM, &["controller", "--single"]);
    node.wait_ready();
    node.apply("web.yaml", WEB);
    assert_web_answers(&node);
    let life = ["get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].containerID}"];
    let (pods, old) = (node.said(&life), node.folder_of("kine"));
    node.replace(&second);
    let new = node.folder_of("kine");
    assert_ne!(old, new);
    assert_eq!((node.said(&life), node.folders()), (pods.clone(), 2), "shims run on from the first one's folder");
    assert_web_answers(&node);
    node.replace(&first);
    assert_eq!((node.folder_of("kine"), node.said(&life)), (old, pods));
    assert_web_answers(&node);
    assert_eq!(node.folders(), 1, "nothing runs from the second one's");
}
