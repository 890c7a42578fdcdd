//! A registry as other people run one: the CNCF's, as Debian has it, over TLS and for those who have the password.

use std::{
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sk8s::pki::{Authority, LeafRequest, UnixTime, Usage};
use skerry_formats::digest::Digest;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{eventually, lan::Space, moment};

pub const ADDRESS: [u8; 4] = [192, 168, 99, 254];
pub const PORT: u16 = 5000;
/// `ada:tulip-9`, as a header has it and as the registry has it.
pub const PASS: &str = "Basic YWRhOnR1bGlwLTk=";
const USERS: &str = "ada:$2b$05$abcdefghijklmnopqrstuuyLBorThO1rVtl1OjIXI4N5LXhtTurnm\n";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that ends with the test; what it needs lies in its folder, the authority's certificate in `ca.crt`.
pub struct Registry<'a> {
    space: &'a Space,
    process: Child,
    pub folder: tempfile::TempDir,
    agent: Agent,
}

/// A blob that was pushed.
#[derive(Clone)]
pub struct Pushed {
    pub digest: Digest,
    size: usize,
}

impl<'a> Registry<'a> {
    /// Starts one at the address that the space has.
    pub fn start(space: &'a Space) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let now = UnixTime(u64::try_from(moment() / 1000).expect("a time"));
        let day = Duration::from_secs(24 * 60 * 60);
        let authority = Authority::generate("shop", day, now).expect("an authority");
        let request = LeafRequest {
            addresses: vec![IpAddr::from(ADDRESS)],
            usage: Usage::Server,
            lifetime: day,
            ..LeafRequest::client("registry", None)
        };
        let leaf = authority.issue(&request, now).expect("a certificate");
        let config = json!({
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": folder.path().join("store")}},
            "auth": {"htpasswd": {"realm": "shop", "path": folder.path().join("users")}},
            "http": {
                "addr": format!("{}:{PORT}", IpAddr::from(ADDRESS)),
                "secret": "shop",
                "tls": {"certificate": folder.path().join("tls.crt"), "key": folder.path().join("tls.key")},
            },
        });
        let files = [
            ("ca.crt", authority.certificate.clone()),
            ("tls.crt", leaf.certificate),
            ("tls.key", leaf.key),
            ("users", USERS.to_owned()),
            ("config.yml", config.to_string()),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let mut command = Command::new(program());
        command.arg("serve").arg(folder.path().join("config.yml")).stdin(Stdio::null());
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        let process = space.within(|| command.spawn().expect("the registry starts"));
        let root = Certificate::from_pem(authority.certificate.as_bytes()).expect("a certificate");
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build();
        let agent = Agent::config_builder().tls_config(tls).http_status_as_error(false).proxy(None).build().new_agent();
        let registry = Self { space, process, folder, agent };
        eventually("the registry answers", || {
            let asked = || registry.agent.get(registry.url("")).header("Authorization", PASS).call();
            (space.within(asked).ok()?.status() == 200).then_some(())
        });
        registry
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}:{PORT}/v2/{path}", IpAddr::from(ADDRESS))
    }

    /// Pushes a blob (distribution-spec, "Pushing a blob monolithically").
    pub fn push(&self, repository: &str, bytes: &[u8]) -> Pushed {
        let digest = Digest::of(bytes);
        self.space.within(|| {
            let begun = self.agent.post(self.url(&format!("{repository}/blobs/uploads/")));
            let begun = begun.header("Authorization", PASS).send_empty().expect("an answer");
            let place = begun.headers().get("location").expect("a place").to_str().expect("text").to_owned();
            let done = self.agent.put(format!("{place}&digest=sha256:{digest}")).header("Authorization", PASS);
            let done = done.content_type("application/octet-stream").send(bytes).expect("an answer");
            assert_eq!(done.status(), 201);
        });
        Pushed { digest, size: bytes.len() }
    }

    /// Pushes a document under a tag.
    fn tag(&self, name: (&str, &str), kind: &str, document: &Value) -> Pushed {
        let (bytes, (repository, tag)) = (document.to_string().into_bytes(), name);
        self.space.within(|| {
            let put = self.agent.put(self.url(&format!("{repository}/manifests/{tag}"))).header("Authorization", PASS);
            let mut done = put.content_type(kind).send(&bytes[..]).expect("an answer");
            let said = done.body_mut().read_to_string().unwrap_or_default();
            assert_eq!(done.status(), 201, "{said}");
        });
        Pushed { digest: Digest::of(&bytes), size: bytes.len() }
    }

    /// Pushes an image of some layers for an architecture.
    pub fn image(&self, name: (&str, &str), arch: &str, layers: &[&[u8]]) -> Pushed {
        let of = |pushed: &Pushed, kind: &str| json!({"mediaType": kind, "digest": format!("sha256:{}", pushed.digest), "size": pushed.size});
        let pushed: Vec<Pushed> = layers.iter().map(|layer| self.push(name.0, layer)).collect();
        let mut config = busybox().config;
        config["architecture"] = arch.into();
        let config = self.push(name.0, config.to_string().as_bytes());
        let layers: Vec<Value> =
            pushed.iter().map(|layer| of(layer, "application/vnd.oci.image.layer.v1.tar+zstd")).collect();
        let config = of(&config, "application/vnd.oci.image.config.v1+json");
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.tag(name, MANIFEST, &manifest)
    }

    /// Pushes busybox for two architectures under one tag.
    pub fn busybox(&self, repository: &str, tag: &str) {
        let layer = busybox().layer;
        let manifests = ["amd64", "arm64"].map(|arch| {
            let image = self.image((repository, &format!("{tag}-{arch}")), arch, &[&layer]);
            json!({"mediaType": MANIFEST, "digest": format!("sha256:{}", image.digest), "size": image.size,
                   "platform": {"os": "linux", "architecture": arch}})
        });
        self.tag((repository, tag), INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}));
    }

    /// The file that the registry keeps a blob's bytes in.
    pub fn file_of(&self, blob: &Pushed) -> PathBuf {
        let hex = blob.digest.to_string();
        self.folder.path().join(format!("store/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    /// What a `hosts.toml` says so that another name's images come from here, by a port, with further lines.
    pub fn hosts(&self, port: u16, more: &str) -> String {
        let (address, folder) = (IpAddr::from(ADDRESS), self.folder.path().display());
        format!("[host.'https://{address}:{port}']\nca = '{folder}/ca.crt'\n{more}\n")
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("== registry\n{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
    }
}

fn program() -> PathBuf {
    std::env::var_os("SK8S_REGISTRY").map(PathBuf::from).unwrap_or_else(|| {
        panic!("SK8S_REGISTRY is not set: the path of the program in Debian's package docker-registry, which `cargo xtask native` gets")
    })
}

struct Busybox {
    config: Value,
    layer: Vec<u8>,
}

/// The parts of the built-in image.
fn busybox() -> Busybox {
    let images = std::env::var_os("SK8S_IMAGES").expect("checked before");
    let file = std::fs::File::open(Path::new(&images).join("busybox.tar")).expect("an archive");
    let mut archive = tar::Archive::new(file);
    let mut found = Busybox { config: Value::Null, layer: Vec::new() };
    for entry in archive.entries().expect("an archive") {
        let mut bytes = Vec::new();
        entry.expect("a file").read_to_end(&mut bytes).expect("read");
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) if value.get("rootfs").is_some() => found.config = value,
            Ok(_) => {}
            Err(_) => found.layer = bytes,
        }
    }
    found
}
