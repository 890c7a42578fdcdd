//! The parts of a control plane that hand out pod subnets: kine, kube-apiserver, and one controller.

use std::{
    fs,
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sk8s::{
    api::Client,
    pki::{ClusterLink, Credentials, Identity, Leaf, LeafRequest, Usage, kubeconfig},
    sys::clock,
};

use super::{eventually, lan::Space, program, tell};

const RBAC: &str = include_str!("../../src/manifests/rbac.yaml");

/// A running control plane.
pub struct Cluster<'a> {
    space: &'a Space,
    folder: PathBuf,
    server: String,
    identity: Identity,
    processes: Vec<Child>,
}

impl<'a> Cluster<'a> {
    /// Starts one, reachable at an address of `space`, and waits until it hands out parts of `pods`.
    pub fn start(space: &'a Space, folder: &Path, address: IpAddr, pods: &str) -> Self {
        let identity = Identity::generate(&"shed".parse().expect("a name"), clock::now()).expect("keys");
        let server = format!("https://{address}:6443");
        let mut cluster = Self { space, folder: folder.to_owned(), server, identity, processes: Vec::new() };
        fs::create_dir_all(folder).expect("a folder");
        cluster.write_keys(address);
        cluster.run("kine", &[], &cluster.kine());
        cluster.run("kube", &["kube-apiserver"], &cluster.apiserver(address));
        let controller = cluster.controller(pods);
        eventually("the API answers", || {
            cluster.kubectl(&["get", "--raw", "/readyz"], "").filter(|answer| answer == "ok")
        });
        cluster.run("kube", &["kube-controller-manager"], &controller);
        cluster.kubectl(&["apply", "-f", "-"], RBAC).expect("objects of ours");
        cluster
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("written");
    }

    fn leaf(&self, request: &LeafRequest) -> Leaf {
        self.identity.ca.issue(request, clock::now()).expect("signed")
    }

    fn write_keys(&self, address: IpAddr) {
        for (name, text, _) in self.identity.files() {
            self.write(name, text);
        }
        let server = self.leaf(&LeafRequest {
            usage: Usage::Server,
            addresses: vec![address, IpAddr::V4(Ipv4Addr::LOCALHOST)],
            ..LeafRequest::client("kube-apiserver", None)
        });
        self.write("server.crt", &server.certificate);
        self.write("server.key", &server.key);
        for (name, user, group) in
            [("admin", "admin", Some("system:masters")), ("controller", "system:kube-controller-manager", None)]
        {
            self.write_kubeconfig(&self.folder.join(name), user, group);
        }
    }

    /// Writes a kubeconfig with certificate and key beside it.
    fn write_kubeconfig(&self, folder: &Path, user: &str, group: Option<&str>) {
        let leaf = self.leaf(&LeafRequest::client(user, group));
        let (certificate, key) = (folder.join("client.crt"), folder.join("client.key"));
        fs::create_dir_all(folder).expect("a folder");
        fs::write(&certificate, leaf.certificate).expect("written");
        fs::write(&key, leaf.key).expect("written");
        let link = ClusterLink { name: "shed", server: &self.server, ca_certificate: &self.identity.ca.certificate };
        let text = kubeconfig(&link, user, &Credentials::Files { certificate: &certificate, key: &key });
        fs::write(folder.join("kubeconfig"), text).expect("written");
    }

    /// Gives a node the credentials that its kubelet would have.
    pub fn admit(&self, node: &str, folder: &Path) {
        self.write_kubeconfig(folder, &format!("system:node:{node}"), Some("system:nodes"));
    }

    /// A client with the owner's rights, which works inside the cluster's namespace.
    pub fn client(&self) -> Client {
        let leaf = self.leaf(&LeafRequest::client("admin", Some("system:masters")));
        Client::new(&self.identity.ca.certificate, &leaf).expect("good keys")
    }

    /// What kubectl says with the owner's rights, `None` if it fails.
    pub fn kubectl(&self, args: &[&str], input: &str) -> Option<String> {
        self.kubectl_as(&self.folder.join("admin/kubeconfig"), args, input)
    }

    /// What kubectl says as somebody else.
    pub fn kubectl_as(&self, kubeconfig: &Path, args: &[&str], input: &str) -> Option<String> {
        self.space.within(|| {
            let mut command = Command::new(program("kube"));
            command.arg("kubectl").arg("--kubeconfig").arg(kubeconfig).args(args).env("HOME", &self.folder);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().expect("kubectl runs");
            child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("read");
            let out = child.wait_with_output().expect("ends");
            out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
        })
    }

    fn run(&mut self, name: &str, first: &[&str], args: &[String]) {
        let log = fs::File::create(self.folder.join(format!("log.{}", self.processes.len()))).expect("a log");
        let mut command = Command::new(program(name));
        command.args(first).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.processes.push(self.space.within(move || command.spawn().expect("starts")));
    }

    fn kine(&self) -> Vec<String> {
        let database = self.file("state.db");
        vec![
            format!("--endpoint=sqlite://{database}?_journal_mode=WAL&_busy_timeout=30000&_txlock=immediate"),
            format!("--listen-address=unix://{}", self.file("kine.sock")),
            "--metrics-bind-address=0".to_owned(),
        ]
    }

    fn apiserver(&self, address: IpAddr) -> Vec<String> {
        vec![
            format!("--advertise-address={address}"),
            format!("--tls-cert-file={}", self.file("server.crt")),
            format!("--tls-private-key-file={}", self.file("server.key")),
            format!("--client-ca-file={}", self.file("ca.crt")),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--enable-admission-plugins=NodeRestriction".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", self.file("sa.pub")),
            format!("--service-account-signing-key-file={}", self.file("sa.key")),
            format!("--etcd-servers=unix://{}", self.file("kine.sock")),
        ]
    }

    fn controller(&self, pods: &str) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.file("controller/kubeconfig")),
            "--use-service-account-credentials=true".to_owned(),
            format!("--service-account-private-key-file={}", self.file("sa.key")),
            "--controllers=node-ipam-controller".to_owned(),
            "--allocate-node-cidrs=true".to_owned(),
            format!("--cluster-cidr={pods}"),
            "--leader-elect=false".to_owned(),
        ]
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        for (number, child) in self.processes.iter_mut().enumerate().rev() {
            let _ = child.kill();
            let _ = child.wait();
            tell(&self.folder.join(format!("log.{number}")));
        }
    }
}
