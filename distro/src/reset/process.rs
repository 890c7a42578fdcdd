//! Which processes are ours.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{found::Found, places::Places};
use crate::{paths::Paths, service::ServiceRole};

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Its command line.
    pub argv: Vec<String>,
    /// The layer that its root takes changes to, if it is in a container.
    pub layer: Option<PathBuf>,
}

impl Process {
    /// The program's name, without its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        let first = self.argv.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is a shim of our containerd.
    fn is_shim(&self, places: &Places) -> bool {
        let sockets = places.both().map(Paths::containerd_socket);
        let ours =
            |pair: &[String]| pair[0] == "-address" && sockets.iter().any(|socket| Path::new(&pair[1]) == socket);
        self.name().contains("containerd-shim") && self.argv.windows(2).any(ours)
    }

    /// Whether it is one of our components: a program of ours that was told a place of ours.
    fn is_component(&self, places: &Places) -> bool {
        let Some((program, words)) = self.argv.split_first() else { return false };
        let carried =
            |paths: &Paths| [&paths.components, &paths.data].iter().any(|f| Path::new(program).starts_with(f));
        let folders = places.pairs().into_iter().flat_map(|(spelled, real)| [spelled, real]);
        let folders: Vec<String> = folders.map(|folder| folder.display().to_string()).collect();
        let told = |word: &String| folders.iter().any(|folder| names(word, folder));
        places.both().into_iter().any(carried) && words.iter().any(told)
    }

    /// The folder that a supervisor's command line names, or the usual one.
    fn run_folder(&self) -> PathBuf {
        let flag = "--run-dir";
        let joined = self.argv.iter().find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
        let apart = || self.argv.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1].as_str());
        joined.or_else(apart).map_or_else(|| Paths::default().run, PathBuf::from)
    }

    /// Whether it is in a container of ours.
    fn is_contained(&self, places: &Places) -> bool {
        self.layer.as_ref().is_some_and(|layer| places.both().iter().any(|paths| layer.starts_with(&paths.data)))
    }

    /// Whether it is a kubelet, or has one in it.
    fn is_kubelet(&self) -> bool {
        let ours = self.name() == "kube" && self.argv.get(1).is_some_and(|word| word == "kubelet");
        ours || matches!(self.name(), "kubelet" | "k3s" | "kubelite" | "rke2")
    }
}

/// Whether a word of a command line names a folder or something in it.
fn names(word: &str, folder: &str) -> bool {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with('/');
    word.match_indices(folder).any(|(at, _)| {
        let before = word[..at].chars().next_back();
        before.is_none_or(|c| "=:/".contains(c)) && ends(&word[at + folder.len()..])
    })
}

/// The processes that are ours: shims, components, whatever either has started, and whatever else is in a container of ours.
pub fn ours<'a>(processes: &'a [Process], places: &Places) -> Vec<&'a Process> {
    let root =
        |process: &Process| process.is_shim(places) || process.is_component(places) || process.is_contained(places);
    let mut found: BTreeSet<i32> =
        processes.iter().filter(|process| root(process)).map(|process| process.pid).collect();
    loop {
        let before = found.len();
        found.extend(processes.iter().filter(|p| found.contains(&p.parent)).map(|p| p.pid).collect::<Vec<_>>());
        if found.len() == before {
            break;
        }
    }
    processes.iter().filter(|process| found.contains(&process.pid)).collect()
}

/// The supervisor of these folders, if it runs.
pub fn supervisor<'a>(processes: &'a [Process], places: &Places) -> Option<&'a Process> {
    let runs = |process: &&Process| {
        let verb = process.argv.iter().any(|word| ServiceRole::of_verb(word).is_some());
        let here = |folder: &Path| places.both().iter().any(|paths| paths.run == folder);
        process.name() == "sk8s" && verb && here(&process.run_folder())
    };
    processes.iter().find(runs)
}

/// Somebody else's kubelet or runtime, if one runs here: their work uses the places that all kubelets and runtimes share. A
/// runtime that is not ours but had our pods is none: the pods have gone from it.
pub fn neighbour<'a>(found: &'a Found, places: &Places) -> Option<&'a Process> {
    let ours: BTreeSet<i32> = ours(&found.processes, places).iter().map(|process| process.pid).collect();
    let shares = |process: &Process| process.is_kubelet() || process.name() == "containerd" && found.runtime.is_none();
    found.processes.iter().find(|process| shares(process) && !ours.contains(&process.pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, line: &str) -> Process {
        Process { pid, parent, argv: line.split(' ').map(ToOwned::to_owned).collect(), layer: None }
    }

    fn machine() -> Vec<Process> {
        let layer = |layer: &str, process| Process { layer: Some(layer.into()), ..process };
        vec![
            process(1, 0, "/sbin/init"),
            process(
                10,
                1,
                "/usr/libexec/sk8s/containerd-shim-runc-v2 -namespace k8s.io -id a -address /run/sk8s/containerd.sock",
            ),
            process(11, 10, "/pause"),
            process(12, 11, "sh -c sleep"),
            process(
                20,
                1,
                "/usr/bin/containerd-shim-runc-v2 -namespace moby -id b -address /run/containerd/containerd.sock",
            ),
            process(21, 20, "nginx"),
            process(30, 1, "/usr/libexec/sk8s/kine --listen-address=unix:///run/sk8s/kine/kine.sock"),
            layer("/var/lib/sk8s/containerd/snapshots/4/fs", process(40, 1, "an orphan")),
            layer("/var/lib/docker/overlay2/x", process(41, 1, "another's orphan")),
            process(50, 2, "vim /var/lib/sk8s/manifests/web.yaml"),
            process(51, 2, "/usr/libexec/sk8s/clients kubectl get pods"),
        ]
    }

    #[test]
    fn shims_components_and_what_is_in_them_are_ours_and_nothing_else() {
        let machine = machine();
        let pids: Vec<i32> = ours(&machine, &Paths::default().into()).iter().map(|process| process.pid).collect();
        assert_eq!(pids, [10, 11, 12, 30, 40]);
    }

    #[test]
    fn another_node_on_this_machine_is_not_ours() {
        let mut found = Found { processes: machine(), ..Found::default() };
        assert_eq!(neighbour(&found, &Paths::default().into()), None);
        found.processes.push(process(60, 1, "/usr/libexec/sk8s/kube kubelet --root-dir=/srv/other/kubelet"));
        assert_eq!(neighbour(&found, &Paths::default().into()).map(|process| process.pid), Some(60));
        assert_eq!(ours(&found.processes, &Paths::default().into()).len(), 5);
    }

    #[test]
    fn a_runtime_is_a_neighbour_unless_it_was_the_nodes() {
        let processes = vec![process(80, 1, "/usr/bin/containerd")];
        let mut found = Found { processes, ..Found::default() };
        assert_eq!(neighbour(&found, &Paths::default().into()).map(|process| process.pid), Some(80));
        found.runtime = Some("/run/containerd/containerd.sock".into());
        assert_eq!(neighbour(&found, &Paths::default().into()), None);
    }

    #[test]
    fn a_supervisor_is_that_of_its_folders() {
        let usual = process(70, 1, "/usr/local/bin/sk8s controller --single");
        let other = process(71, 1, "sk8s --run-dir /srv/run worker");
        let kubectl = process(72, 1, "sk8s kubectl get nodes");
        let machine = [other, kubectl, usual];
        let pid = |run: &str| {
            let paths = Paths { run: run.into(), ..Paths::default() };
            supervisor(&machine, &paths.into()).map(|process| process.pid)
        };
        assert_eq!(pid("/run/sk8s"), Some(70));
        assert_eq!(pid("/srv/run"), Some(71));
        assert_eq!(pid("/srv/other"), None);
    }

    #[test]
    fn a_folder_is_named_whole() {
        assert!(names("--root-dir=/run/sk8s", "/run/sk8s"));
        assert!(names("unix:///run/sk8s/kine.sock", "/run/sk8s"));
        assert!(!names("/run/sk8score", "/run/sk8s"));
        assert!(!names("/srv/run/sk8s", "/run/sk8s"));
    }
}
