//! A controller on the machine that runs the tests, and its cluster as a client sees it.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;
use sk8s::{
    api::Client,
    pki::{LOCAL_SERVER, Leaf},
    status,
};
use skerry_formats::status::{Phase, Status};

/// All use the same ports.
static PORTS: Mutex<()> = Mutex::new(());

/// A folder with a controller's state, and at most one process at a time.
pub struct Controller {
    pub folder: tempfile::TempDir,
    process: Option<Child>,
}

/// Keeps other tests from the ports.
pub fn alone() -> MutexGuard<'static, ()> {
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn components() -> PathBuf {
    std::env::var_os("SK8S_COMPONENTS").expect("SK8S_COMPONENTS is set").into()
}

impl Controller {
    /// A controller that was never started, with this `spec.storage`.
    pub fn new(storage: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let images = json!({"pause": "localhost/sk8s/pause:1", "coredns": "localhost/sk8s/coredns:1"});
        std::fs::create_dir(folder.path().join("images")).expect("made");
        std::fs::write(folder.path().join("images/images.json"), images.to_string()).expect("written");
        let controller = Self { folder, process: None };
        controller.configure(storage);
        controller
    }

    pub fn started(storage: &str) -> Self {
        let mut controller = Self::new(storage);
        controller.start();
        controller
    }

    /// Asks for another `spec.storage`.
    pub fn configure(&self, storage: &str) {
        let head = "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\nmetadata: {name: shed}\nspec:\n  node: {name: barn}\n";
        std::fs::write(self.path("sk8s.yaml"), format!("{head}  storage: {storage}\n")).expect("written");
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// `sk8s` with the controller's folders.
    pub fn sk8s(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sk8s"));
        let flags =
            [("--data-dir", "data"), ("--run-dir", "run"), ("--kubelet-dir", "kubelet"), ("--images", "images")];
        for (flag, name) in flags {
            command.arg(flag).arg(self.path(name));
        }
        command.arg("--components").arg(components()).arg("--cni").arg(components()).args(args);
        command
    }

    /// Runs `sk8s` to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.sk8s(args).stdin(Stdio::null()).output().expect("sk8s runs")
    }

    /// Runs `sk8s` to its good end and returns what it printed.
    pub fn done(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("text").trim().to_owned()
    }

    /// Runs `sk8s` to its bad end and returns what it said.
    pub fn refused(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success(), "{args:?} was obeyed: {said}");
        said
    }

    pub fn config(&self) -> String {
        self.path("sk8s.yaml").display().to_string()
    }

    /// Starts and waits until all is ready.
    pub fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let mut command = self.sk8s(&["controller", "--config", &self.config()]);
        self.process = Some(command.stderr(log).stdout(Stdio::null()).spawn().expect("sk8s starts"));
        let log = self.path("log");
        eventually(&format!("the controller is ready, see {}", log.display()), || {
            let over = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(over.is_none(), "sk8s ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            self.status().filter(|status| status.phase == Phase::Ready)
        });
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = Command::new("kill").arg(process.id().to_string()).status();
            process.wait().expect("ended");
        }
    }

    pub fn status(&self) -> Option<Status> {
        status::ask(&self.path("run/status.sock")).ok()
    }

    pub fn pid(&self, component: &str) -> u32 {
        let status = self.status().expect("a status");
        let found = status.components.iter().find(|found| found.name == component).expect("supervised");
        found.pid.expect("runs")
    }

    /// A client with the owner's rights.
    pub fn client(&self) -> Client {
        let read = |below: &str| std::fs::read_to_string(self.path(below)).expect("there");
        let leaf = Leaf { certificate: read("run/admin/client.crt"), key: read("run/admin/client.key") };
        Client::new(&read("data/pki/ca.crt"), &leaf).expect("keys")
    }

    /// Every object of the kinds that a cluster of controllers has by itself, and those of the tests: path → object, without
    /// what the cluster changes by itself.
    pub fn objects(&self) -> BTreeMap<String, serde_json::Value> {
        let client = self.client();
        let lists = [
            "/api/v1/namespaces",
            "/api/v1/configmaps",
            "/api/v1/secrets",
            "/api/v1/serviceaccounts",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            "/apis/scheduling.k8s.io/v1/priorityclasses",
        ];
        let mut all = BTreeMap::new();
        for list in lists {
            let found = client.get(list).expect("answered").expect("there");
            for mut item in found["items"].as_array().expect("a list").clone() {
                let meta = item["metadata"].as_object_mut().expect("metadata");
                meta.remove("resourceVersion");
                meta.remove("managedFields");
                let name = format!("{list}/{}/{}", meta.get("namespace").unwrap_or(&json!("")), meta["name"]);
                all.insert(name, item);
            }
        }
        all
    }

    /// The same, once the cluster has made all that it makes by itself.
    pub fn settled(&self) -> BTreeMap<String, serde_json::Value> {
        let mut before = BTreeMap::new();
        eventually("the cluster makes no more objects", || {
            std::thread::sleep(Duration::from_secs(3));
            let now = self.objects();
            // A controller writes last of all that it works with the keys of the secrets.
            let keyring = now.get("/api/v1/configmaps/\"kube-system\"/\"sk8s-keyring\"");
            let same = now == before && keyring.is_some_and(|keyring| keyring["data"]["has.barn"].is_string());
            before = now;
            same.then(|| before.clone())
        })
    }

    /// Writes a ConfigMap and returns its resource version.
    pub fn write(&self, client: &Client, name: &str) -> u64 {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"is": name}});
        let path = format!("/api/v1/namespaces/default/configmaps/{name}");
        client.apply(&path, &object).expect("applied");
        self.version(client, name).expect("written")
    }

    /// Resource version of a ConfigMap.
    pub fn version(&self, client: &Client, name: &str) -> Option<u64> {
        let path = format!("/api/v1/namespaces/default/configmaps/{name}");
        let object = client.get(&path).expect("answered")?;
        assert_eq!(object["data"]["is"], name);
        object["metadata"]["resourceVersion"].as_str().expect("text").parse().ok()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(25).collect();
            let _ = writeln!(std::io::stderr(), "{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Whether a watch from a revision is told that it is too old.
pub fn is_gone(client: &Client, version: u64) -> bool {
    let url = format!(
        "{LOCAL_SERVER}/api/v1/namespaces/default/configmaps?resourceVersion={version}&resourceVersionMatch=Exact"
    );
    let (status, text) = client.fetch(&url).expect("answered");
    assert!(status == 410 || status == 200, "{status}: {text}");
    status == 410
}

pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(180), "not within three minutes: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The addresses that something listens at on a TCP port, as `/proc/net/tcp` has them.
pub fn listeners(port: u16) -> Vec<String> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(Path::new(table)).expect("a table");
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, number) = fields[1].split_once(':').expect("an address");
            if fields[3] == "0A" && u16::from_str_radix(number, 16) == Ok(port) {
                found.push(address.to_owned());
            }
        }
    }
    found
}
