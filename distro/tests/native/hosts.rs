//! Bare machines on a local network, each with an SSH server, made a cluster from another one by `sk8s cluster`.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    path::PathBuf,
    process::{Child, Output},
};

use serde_json::Value;

use super::{carried::one_file, eventually, lan::Lan, machine::Machine};

const SSHD: &str = "/usr/sbin/sshd";

/// A machine that can be logged in to with the key of the desk.
struct Host {
    machine: Machine,
    server: Child,
    before: BTreeSet<String>,
}

impl Host {
    /// `sk8s` is installed below `/usr/local/bin`, which is this machine's own. There are a root and a keeper who becomes root.
    fn boot(lan: &Lan, name: &str, address: IpAddr, key: &str) -> Self {
        let machine = lan.boot(name, address);
        let done = machine.shell(&format!(
            "set -e; mount -t tmpfs tmpfs /usr/local/bin; mkdir -p /run/sshd /var/trial\n\
             ssh-keygen -q -t ed25519 -N '' -f /var/trial/host; echo '{key}' > /var/trial/keys\n\
             echo '127.0.1.1 {name}' >> /etc/hosts; useradd -M -s /bin/sh -p '*' keeper; echo 'keeper ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/keeper\n\
             chmod 440 /etc/sudoers.d/keeper; sudo -u keeper sudo -n true; echo done"
        ));
        assert!(done.ends_with("done"), "{done}");
        let words =
            [SSHD, "-D", "-e", "-f", "/dev/null", "-h", "/var/trial/host", "-o", "AuthorizedKeysFile=/var/trial/keys"];
        let more = ["-o", "PidFile=none", "-o", "UsePAM=no", "-o", "StrictModes=no"];
        let server = machine.start(&[&words[..], &more].concat(), "/var/log/trial");
        eventually("sshd listens", || machine.shell("ss -tln | grep ':22 '").contains(":22").then_some(()));
        let before = machine.inventory();
        Self { machine, server, before }
    }

    fn host_key(&self) -> String {
        self.machine.shell("cut -d' ' -f1,2 /var/trial/host.pub")
    }

    /// Asserts that nothing of sk8s is left, or ever was.
    fn is_bare(&self) {
        let session = |line: &String| line.starts_with("process sshd: ") && !line.contains("[listener]");
        eventually("sessions have ended", || (!self.machine.inventory().iter().any(session)).then_some(()));
        let after = self.machine.inventory();
        let left: Vec<_> = after.difference(&self.before).collect();
        let lost: Vec<_> = self.before.difference(&after).collect();
        assert!(left.is_empty() && lost.is_empty(), "left: {left:#?}\nlost: {lost:#?}");
        assert_eq!(self.machine.shell("ls -A /usr/local/bin"), "");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{}",
                self.machine
                    .shell("tail -n 20 /var/log/trial; journalctl -n 20 --no-pager; ls -la /etc/sk8s /usr/local/bin")
            );
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where the owner sits.
struct Desk {
    machine: Machine,
    file: PathBuf,
}

impl Desk {
    fn new(lan: &Lan) -> Self {
        let machine = lan.boot("desk", [192, 168, 99, 200].into());
        let keys = "set -e; mount -t tmpfs -o mode=700 tmpfs /root; mkdir -m 700 /root/.ssh\n\
                    for key in id_home stranger; do ssh-keygen -q -t ed25519 -N '' -C '' -f /root/.ssh/$key; done; echo done";
        assert!(machine.shell(keys).ends_with("done"));
        Self { machine, file: one_file("sk8s-one", 1) }
    }

    fn key(&self) -> String {
        self.machine.shell("cat /root/.ssh/id_home.pub")
    }

    fn knows(&self, address: &str, host: &Host) {
        self.machine.shell(&format!("echo '{address} {}' >> /root/.ssh/known_hosts", host.host_key()));
    }

    fn write(&self, path: &str, text: &str) {
        self.machine.shell(&format!("cat > {path} <<'END'\n{text}\nEND"));
    }

    fn cluster(&self, words: &[&str]) -> Output {
        let file = self.file.display().to_string();
        self.machine.run(&[&[file.as_str(), "cluster"], words].concat())
    }

    /// What it prints to standard output and to standard error; it must succeed.
    fn does(&self, words: &[&str]) -> (String, String) {
        let out = self.cluster(words);
        let (said, told) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        eprintln!("$ sk8s cluster {}\n{said}{told}", words.join(" "));
        assert!(out.status.success(), "{words:?}: {}", out.status);
        (said.into_owned(), told.into_owned())
    }

    /// What it prints to standard error; it must fail with exit code 1.
    fn refuses(&self, words: &[&str]) -> String {
        let out = self.cluster(words);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        eprintln!("$ sk8s cluster {}\n{told}", words.join(" "));
        assert_eq!(out.status.code(), Some(1), "{words:?}");
        told
    }

    /// The state of each host.
    fn states(&self) -> Vec<(String, String)> {
        let (said, _) = self.does(&["status", "--hosts", HOSTS, "-o", "json"]);
        let value: Value = serde_json::from_str(&said).expect("JSON");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let hosts = value["hosts"].as_array().expect("hosts");
        hosts.iter().map(|host| (text(&host["name"]), text(&host["state"]))).collect()
    }

    /// What kubectl says with the kubeconfig that the file of hosts leads to.
    fn kubectl(&self, words: &str) -> String {
        let clients = format!("{}/clients", std::env::var("SK8S_COMPONENTS").expect("checked before"));
        self.machine.shell(&format!("KUBECONFIG=/root/kubeconfig {clients} kubectl {words}"))
    }
}

const HOSTS: &str = "/root/hosts.yaml";

fn hosts(san: &str, barn: &str) -> String {
    format!(
        "apiVersion: skerry.dev/v1\nkind: Cluster\nmetadata: {{name: home}}\nspec:\n  api: {{sans: [{san}]}}\n  hosts:\n  \
         - {{name: tower, role: controller, addresses: [192.168.99.1], \
              ssh: {{address: 192.168.99.1, user: root, keyPath: ~/.ssh/id_home}}}}\n  \
         - {{name: barn, role: worker, labels: {{place: barn}}, ssh: {barn}}}\n"
    )
}

const BARN: &str = "{address: 192.168.99.2, user: keeper, keyPath: ~/.ssh/id_home}";

fn states(of: [(&str, &str); 2]) -> Vec<(String, String)> {
    of.map(|(name, state)| (name.to_owned(), state.to_owned())).into()
}

/// What cannot be reached is named, and nothing is done anywhere.
fn refuses_what_it_cannot_reach(desk: &Desk, tower: &Host, barn: &Host) {
    desk.write(HOSTS, &hosts("home.example.org", &BARN.replace("id_home", "stranger")));
    let told = desk.refuses(&["apply", "--hosts", HOSTS]);
    assert!(
        told.contains("barn: failed: could not log in: keeper@192.168.99.2: keeper@192.168.99.2: Permission denied"),
        "{told}"
    );
    assert!(told.contains("barn: hint: name the user and the key that it knows"), "{told}");
    desk.write(HOSTS, &hosts("home.example.org", &BARN.replace("99.2", "99.77")));
    let told = desk.refuses(&["apply", "--hosts", HOSTS]);
    assert!(
        told.contains("barn: failed: could not log in: keeper@192.168.99.77: ") && told.contains("No route to host"),
        "{told}"
    );
    assert!(told.ends_with(
        "error: failed: `barn`; nothing more was done\n  hint: mend what is said above and run the same command again: it goes \
         on where this one ended\n"
    ));
    desk.machine.shell("mv /root/.ssh/known_hosts /root/.ssh/kept");
    desk.write(HOSTS, &hosts("home.example.org", BARN));
    let told = desk.refuses(&["apply", "--hosts", HOSTS]);
    assert!(told.contains("Host key verification failed") && told.contains("log in once by hand"), "{told}");
    desk.machine.shell("mv /root/.ssh/kept /root/.ssh/known_hosts");
    let (plan, _) = desk.does(&["apply", "--hosts", HOSTS, "--explain"]);
    assert!(
        plan.ends_with("barn: join at tower\nbarn: wait until it is ready\nbarn: remove the join token\n"),
        "{plan}"
    );
    tower.is_bare();
    barn.is_bare();
}

/// Lays a file where the data folder is to be, until the controller has ended over it more than twice. No journal is kept
/// in these machines, so the log is a file.
const OBSTACLE: &str = "ln -s trial /var/log/sk8scontroller.log; until [ -e /etc/sk8s/sk8s.yaml ]; do sleep 0.02; done\n\
    touch /var/lib/sk8s || exit; until [ $(grep -c '^error: ' /var/log/trial) -gt 2 ]; do sleep 1; done\n\
    rm /var/lib/sk8s /var/log/sk8scontroller.log";

/// Two bare machines become a cluster, as soon as nothing is in the way; then there is nothing to do.
fn makes_a_cluster(desk: &Desk, tower: &Host, barn: &Host) {
    assert_eq!(desk.states(), states([("tower", "bare"), ("barn", "bare")]));
    let mut obstacle = tower.machine.start(&["sh", "-c", OBSTACLE], "/dev/null");
    let (_, told) = desk.does(&["apply", "--hosts", HOSTS]);
    assert!(told.contains("tower: waits for: sk8s itself, which starts again after: could not "), "{told}");
    assert!(obstacle.wait().expect("its end").success());
    assert_eq!(desk.states(), states([("tower", "ready"), ("barn", "ready")]));
    let (plan, _) = desk.does(&["apply", "--hosts", HOSTS, "--explain"]);
    assert_eq!(plan, "");
    let (_, told) = desk.does(&["apply", "--hosts", HOSTS]);
    assert_eq!(told, "barn: nothing to do\ntower: nothing to do\n");
    let (config, _) = desk.does(&["kubeconfig", "--hosts", HOSTS]);
    assert!(config.contains("https://192.168.99.1:6443"), "{config}");
    desk.write("/root/kubeconfig", &config);
    assert_eq!(desk.kubectl("get nodes -l place=barn -o name"), "node/barn");
    let tokens = tower.machine.shell("sk8s token list");
    assert_eq!(tokens.lines().count(), 1, "{tokens}");
    assert_eq!(barn.machine.shell("ls -A /etc/sk8s; grep -c token /etc/systemd/system/sk8sworker.service"), "0");
    let status = tower.machine.shell("sk8s config status");
    assert_eq!(status, "file: /etc/sk8s/sk8s.yaml\ncontent: valid\nnode: was started with it");
}

/// A file that changes, and a program that does.
fn follows_changes(desk: &mut Desk, tower: &Host, barn: &Host) {
    desk.write(HOSTS, &hosts("other.example.org", BARN));
    let (plan, _) = desk.does(&["apply", "--hosts", HOSTS, "--explain"]);
    assert_eq!(plan, "tower: write /etc/sk8s/sk8s.yaml\ntower: restart\ntower: wait until it is ready\n");
    desk.does(&["apply", "--hosts", HOSTS, "--host", "barn"]);
    desk.does(&["apply", "--hosts", HOSTS]);
    let since = |host: &Host, service: &str| {
        host.machine.shell(&format!("systemctl show --property=ActiveEnterTimestampMonotonic --value {service}"))
    };
    let before = [since(tower, "sk8scontroller"), since(barn, "sk8sworker")];
    let digest = |host: &Host| host.machine.shell("sha256sum < /usr/local/bin/sk8s");
    let (old, first) = (digest(barn), desk.file.clone());
    desk.file = one_file("sk8s-newer", 3);
    desk.does(&["apply", "--hosts", HOSTS]);
    assert!(digest(barn) != old && digest(tower) == digest(barn));
    let after =
        [since(tower, "sk8scontroller"), since(barn, "sk8sworker")].map(|text| text.parse::<u64>().expect("a time"));
    assert!(before.iter().zip(after).all(|(before, after)| before.parse::<u64>().expect("a time") < after));
    assert!(after[0] < after[1], "controllers first");
    assert_eq!(desk.states(), states([("tower", "ready"), ("barn", "ready")]));
    assert_eq!(desk.does(&["apply", "--hosts", HOSTS, "--explain"]).0, "");
    std::fs::remove_file(first).expect("ours");
}

/// What the file passes on to sk8s reaches controllers and workers, and goes again; what sk8s would refuse reaches nobody.
fn passes_configuration_on(desk: &Desk, barn: &Host) {
    let plain = hosts("other.example.org", BARN);
    let profiles = "  config: {workerProfiles: [{name: small, values: {maxPods: 17}}]}\n  hosts:\n";
    let own = "labels: {place: barn}, config: {node: {profile: small}},";
    let passing = plain.replace("  hosts:\n", profiles).replace("labels: {place: barn},", own);
    desk.write(HOSTS, &passing.replace("name: small", "name: smal"));
    let out = desk.cluster(&["apply", "--hosts", HOSTS]);
    let told = String::from_utf8_lossy(&out.stderr);
    let wanted = "hosts.yaml, line 9: `spec.hosts[1].config.node.profile`: no such profile in spec.workerProfiles: `small`; did you \
                  mean `smal`?";
    assert!(!out.status.success() && told.contains(wanted), "{told}");
    let pods = || desk.kubectl("get node barn -o jsonpath={.status.capacity.pods}");
    assert_eq!(pods(), "110");
    desk.write(HOSTS, &passing);
    let (plan, _) = desk.does(&["apply", "--hosts", HOSTS, "--explain"]);
    assert!(plan.contains("barn: write /etc/sk8s/sk8s.yaml\n") && plan.contains("barn: restart\n"), "{plan}");
    desk.does(&["apply", "--hosts", HOSTS]);
    eventually("barn follows its profile", || (pods() == "17").then_some(()));
    assert_eq!(desk.does(&["apply", "--hosts", HOSTS, "--explain"]).0, "");
    desk.write(HOSTS, &plain);
    desk.does(&["apply", "--hosts", HOSTS]);
    eventually("barn has no profile of its own", || (pods() == "110").then_some(()));
    assert_eq!(desk.does(&["apply", "--hosts", HOSTS, "--explain"]).0, "");
    let left = barn.machine.shell("grep -v '^#' /etc/sk8s/sk8s.yaml");
    assert_eq!(left, "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig");
}

/// One host, and then all of them, are as they were before.
fn makes_hosts_bare_again(desk: &Desk, tower: &Host, barn: &Host) {
    desk.does(&["reset", "--hosts", HOSTS, "--host", "barn"]);
    barn.is_bare();
    assert_eq!(desk.kubectl("get nodes -o name"), "");
    assert_eq!(desk.states(), states([("tower", "ready"), ("barn", "bare")]));
    desk.does(&["reset", "--hosts", HOSTS]);
    tower.is_bare();
    assert_eq!(desk.does(&["reset", "--hosts", HOSTS, "--explain"]).0, "");
}

#[test]
#[ignore = "needs root, systemd, OpenSSH's server, sudo and upstream's programs"]
fn bare_machines_become_a_cluster_over_ssh_and_are_bare_again() {
    let lan = Lan::new();
    let mut desk = Desk::new(&lan);
    let tower = Host::boot(&lan, "tower", [192, 168, 99, 1].into(), &desk.key());
    let barn = Host::boot(&lan, "barn", [192, 168, 99, 2].into(), &desk.key());
    desk.knows("192.168.99.1", &tower);
    desk.knows("192.168.99.2", &barn);
    refuses_what_it_cannot_reach(&desk, &tower, &barn);
    makes_a_cluster(&desk, &tower, &barn);
    follows_changes(&mut desk, &tower, &barn);
    passes_configuration_on(&desk, &barn);
    makes_hosts_bare_again(&desk, &tower, &barn);
}

const TWO: &str = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  storage: {type: etcd}\n  hosts:\n  \
    - {name: tower, role: controller, addresses: [192.168.99.1], ssh: {address: 192.168.99.1, user: root, keyPath: ~/.ssh/id_home}}\n  \
    - {name: mill, role: controller+worker, addresses: [192.168.99.2], ssh: {address: 192.168.99.2, user: root, keyPath: ~/.ssh/id_home}}\n";

#[test]
#[ignore = "needs root, systemd, OpenSSH's server, sudo and upstream's programs"]
fn a_second_controller_joins_over_ssh_and_leaves_with_its_reset() {
    let lan = Lan::new();
    let desk = Desk::new(&lan);
    let tower = Host::boot(&lan, "tower", [192, 168, 99, 1].into(), &desk.key());
    let mill = Host::boot(&lan, "mill", [192, 168, 99, 2].into(), &desk.key());
    desk.knows("192.168.99.1", &tower);
    desk.knows("192.168.99.2", &mill);
    desk.write(HOSTS, TWO);
    desk.does(&["apply", "--hosts", HOSTS]);
    assert_eq!(desk.states(), states([("tower", "ready"), ("mill", "ready")]));
    let members = || tower.machine.shell("sk8s etcd member-list");
    assert_eq!(members().lines().count(), 3, "{}", members());
    assert_eq!(desk.does(&["apply", "--hosts", HOSTS, "--explain"]).0, "");
    let (plan, _) = desk.does(&["reset", "--hosts", HOSTS, "--host", "mill", "--explain"]);
    assert_eq!(
        plan,
        "mill: leave etcd, asking tower\nmill: remove sk8s and all that it has made\nmill: delete its node, asking tower\n"
    );
    desk.does(&["reset", "--hosts", HOSTS, "--host", "mill"]);
    mill.is_bare();
    assert_eq!(members().lines().count(), 2, "{}", members());
    assert_eq!(desk.states(), states([("tower", "ready"), ("mill", "bare")]));
}
