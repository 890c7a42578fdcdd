//! Images of a registry: bundled for nodes that do not reach it, and pulled through it by those that do.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    eventually,
    lan::{Lan, Space},
    machine::Machine,
    node::Node,
    registry::{ADDRESS, PASS, PORT, Registry},
};

/// A registry that nobody has but by way of a mirror.
const SHOP: &str = "shop.example";
const IMAGE: &str = "shop.example/team/app:1";
const DOCKERS: &str = r#"{"auths": {"192.168.99.254:5000": {"auth": "YWRhOnR1bGlwLTk="}}}"#;

/// A folder to work in: registries, credentials, archives.
struct Bench<'a> {
    space: &'a Space,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(space: &'a Space) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("registries").join(SHOP)).expect("a folder");
        std::fs::create_dir(folder.path().join("out")).expect("a folder");
        Self { space, folder }
    }

    fn hosts(&self, text: &str) {
        std::fs::write(self.folder.path().join("registries").join(SHOP).join("hosts.toml"), text).expect("written");
    }

    fn docker(&self, text: &str) {
        std::fs::write(self.folder.path().join("config.json"), text).expect("written");
    }

    /// `sk8s airgap bundle` into a file of `out`.
    fn bundle(&self, file: &str, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sk8s"));
        command.args(["airgap", "bundle", "--output"]).arg(self.out(file)).args(words);
        command.arg("--registries").arg(self.folder.path().join("registries"));
        command.env("DOCKER_CONFIG", self.folder.path());
        self.space.within(|| command.output().expect("sk8s runs"))
    }

    fn out(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join("out").join(file)
    }

    fn made(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("out")).expect("a folder").count()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

fn run_pod(node: &Node, name: &str, image: &str) {
    let image = format!("--image={image}");
    let words =
        ["kubectl", "run", name, &image, "--image-pull-policy=IfNotPresent", "--", "/bin/busybox", "sleep", "9999"];
    eventually("the pod is taken", || node.sk8s(&words).status.success().then_some(()));
}

fn runs(node: &Node, name: &str) {
    eventually("the pod runs", || {
        (node.said(&["get", "pod", name, "-o", "jsonpath={.status.phase}"]) == "Running").then_some(())
    });
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_bundle_of_a_private_registry_runs_where_no_registry_is() {
    let lan = Lan::new();
    let shop = Registry::start(&lan.0);
    shop.busybox("team/app", "1");
    shop.busybox("team/more", "2");
    let bench = Bench::new(&lan.0);

    bench.hosts(&shop.hosts(PORT, ""));
    let refused = bench.bundle("app.tar", &[IMAGE]);
    assert_eq!((refused.status.code(), bench.made()), (Some(1), 0), "{}", said(&refused));
    for word in ["could not pull `shop.example/team/app:1`", "https://192.168.99.254:5000", "401", "docker login"] {
        assert!(said(&refused).contains(word), "{word}: {}", said(&refused));
    }
    bench.docker(DOCKERS);
    assert_done(&bench.bundle("app.tar", &[IMAGE]));
    bench.docker("{}");
    bench.hosts(&shop.hosts(PORT, &format!("header = {{Authorization = '{PASS}'}}")));
    assert_done(&bench.bundle("again.tar", &["--concurrency=1", IMAGE, "localhost/sk8s/pause:3", IMAGE]));
    let [one, again] = ["app.tar", "again.tar"].map(|file| std::fs::read(bench.out(file)).expect("an archive"));
    assert!(one == again, "the same images make the same bytes");
    let missing = said(&bench.bundle("missing.tar", &[IMAGE, "shop.example/team/none:1"]));
    assert!(missing.contains("team/none:1") && missing.contains("404"), "{missing}");
    let other = bench.bundle("arm64.tar", &["--platform=linux/arm64", IMAGE]);
    assert_done(&other);
    let text = std::fs::read(bench.out("arm64.tar")).expect("an archive");
    assert!(String::from_utf8_lossy(&text).contains(r#""architecture":"arm64""#));
    assert_done(&bench.bundle("more.tar", &["shop.example/team/more:2"]));
    let built_in = said(&bench.bundle("none.tar", &["localhost/sk8s/pause:3"]));
    assert!(built_in.contains("built into sk8s: there is nothing to pull"), "{built_in}");

    // Nothing leads from here to the registry.
    let machine = Machine::boot_alone("barn");
    let shipped = "mkdir -p /run/upper /run/work && mount -t overlay overlay \
        -o lowerdir=/usr/share,upperdir=/run/upper,workdir=/run/work /usr/share && mkdir -p /usr/share/sk8s/images.d";
    machine.shell(&format!("{shipped} && cp {} /usr/share/sk8s/images.d/", bench.out("more.tar").display()));
    let node = Node::start(machine, &["controller", "--single"]);
    node.wait_ready();
    let copy = format!("mkdir -p /var/lib/sk8s/images && cp {} /var/lib/sk8s/images/", bench.out("app.tar").display());
    node.machine.shell(&copy);
    for file in ["app.tar", "images.d/more.tar"] {
        eventually("its images are imported", || {
            let log = node.log();
            log.lines().any(|line| line.contains(file) && line.contains("images imported")).then_some(())
        });
    }
    for (name, image) in [("app", IMAGE), ("more", "shop.example/team/more:2")] {
        run_pod(&node, name, image);
        runs(&node, name);
    }
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_mirror_with_an_authority_and_a_password_of_its_own_serves_pods() {
    let lan = Lan::new();
    let shop = Registry::start(&lan.0);
    shop.busybox("team/app", "1");
    let node = Node::start(lan.boot("barn", [192, 168, 99, 2].into()), &["controller", "--single"]);
    node.wait_ready();
    let write = |text: &str| {
        let folder = format!("/etc/sk8s/registries/{SHOP}");
        node.machine.shell(&format!("mkdir -p {folder} && cat > {folder}/hosts.toml <<'END'\n{text}\nEND"));
    };
    write(&shop.hosts(PORT, "capabilities = ['pull', 'resolve']"));
    run_pod(&node, "app", IMAGE);
    let events = ["get", "events", "--field-selector=involvedObject.name=app", "-o", "jsonpath={.items[*].message}"];
    let told = eventually("the pod's events say who was refused", || {
        let told = node.said(&events);
        (told.contains("no basic auth credentials") || told.contains("401")).then_some(told)
    });
    assert!(told.contains(IMAGE), "{told}");
    write(&shop.hosts(PORT, &format!("header = {{Authorization = '{PASS}'}}")));
    runs(&node, "app");
}

/// Passes connections on to the registry and cuts each after some bytes of its answers, and all once a sum of them is reached.
fn cutting(space: &Space, each: u64, in_all: u64) -> u16 {
    let listener = space.within(|| TcpListener::bind((IpAddr::from(ADDRESS), 0)).expect("a port"));
    let port = listener.local_addr().expect("an address").port();
    let left = Arc::new(AtomicU64::new(in_all));
    let to = |space: &Space| space.within(|| TcpStream::connect((IpAddr::from(ADDRESS), PORT)).expect("the registry"));
    // Sockets stay where they were made, so the registry is reached from there by a helper of its own.
    let backends: Vec<TcpStream> = (0..64).map(|_| to(space)).collect();
    std::thread::spawn(move || {
        for (client, backend) in listener.incoming().zip(backends) {
            let (Ok(client), left) = (client, Arc::clone(&left)) else { return };
            std::thread::spawn(move || pass(&client, &backend, each, &left));
        }
    });
    port
}

fn pass(client: &TcpStream, backend: &TcpStream, each: u64, left: &AtomicU64) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::copy(&mut &*client, &mut &*backend);
            let _ = backend.shutdown(Shutdown::Write);
        });
        let (mut buffer, mut own) = (vec![0; 16 << 10], each);
        while let Ok(count @ 1..) = (&*backend).read(&mut buffer) {
            let taken = count as u64;
            let spent = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(taken));
            if own < taken || spent.is_err() || (&*client).write_all(&buffer[..count]).is_err() {
                break;
            }
            own -= taken;
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = backend.shutdown(Shutdown::Both);
    });
}

/// Bytes that no compression makes less, the same at each call.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| step()).collect()
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_cut_line_is_taken_up_and_wrong_bytes_are_refused() {
    let lan = Lan::new();
    let shop = Registry::start(&lan.0);
    let layer = noise(6 << 20);
    shop.image(("team/app", "1"), if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, &[&layer]);
    let bench = Bench::new(&lan.0);
    let pass = format!("header = {{Authorization = '{PASS}'}}");
    let through = |port: u16| bench.hosts(&shop.hosts(port, &pass));

    through(PORT);
    assert_done(&bench.bundle("whole.tar", &[IMAGE]));
    through(cutting(&lan.0, 2 << 20, u64::MAX));
    let resumed = bench.bundle("resumed.tar", &[IMAGE]);
    assert_done(&resumed);
    assert!(said(&resumed).contains("the line broke after"), "{}", said(&resumed));
    let same = |file: &str| {
        let [one, other] = ["whole.tar", file].map(|file| std::fs::read(bench.out(file)).expect("an archive"));
        assert!(one == other, "{file}");
        std::fs::remove_file(bench.out(file)).expect("removed");
    };
    same("resumed.tar");

    through(cutting(&lan.0, u64::MAX, 3 << 20));
    let lost = bench.bundle("lost.tar", &[IMAGE]);
    assert_eq!((lost.status.code(), bench.made()), (Some(1), 1), "{}", said(&lost));
    assert!(said(&lost).contains("could not pull `shop.example/team/app:1`"), "{}", said(&lost));
    through(PORT);
    assert_done(&bench.bundle("lost.tar", &[IMAGE]));
    same("lost.tar");

    let file = shop.file_of(&shop.push("team/app", &layer));
    let spoil = |file: &Path| {
        let mut bytes = std::fs::read(file).expect("the registry's own");
        bytes[5 << 20] ^= 1;
        std::fs::write(file, bytes).expect("written");
    };
    spoil(&file);
    let wrong = bench.bundle("wrong.tar", &[IMAGE]);
    assert_eq!((wrong.status.code(), bench.made()), (Some(1), 1), "{}", said(&wrong));
    assert!(said(&wrong).contains("wrong bytes"), "{}", said(&wrong));
    spoil(&file);
    assert_done(&bench.bundle("wrong.tar", &[IMAGE]));
    same("wrong.tar");
}
