//! A machine of its own within this one: namespaces and control groups of its own, `/var`, `/run`, `/etc` and `/opt` in memory, and
//! systemd or OpenRC as its first process. Needs root, `unshare`, `nsenter`, `ip`, `nft` and systemd.

use std::{
    collections::BTreeSet,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::eventually;

/// Makes a control group in every tree, moves there, and goes on in namespaces of its own.
const OUTER: &str = r#"
set -eu
root=/sys/fs/cgroup
if [ -e $root/cgroup.controllers ]; then trees=$root; else trees=$(ls -d $root/*/ | grep -v ,); fi
for tree in $trees; do
  [ -e "$tree/cgroup.procs" ] || continue
  group="${tree%/}/$1"
  mkdir -p "$group"
  for file in cpuset.cpus cpuset.mems; do [ ! -e "$group/$file" ] || cat "${tree%/}/$file" > "$group/$file"; done
  echo $$ > "$group/cgroup.procs"
done
exec unshare --fork --pid --mount --uts --ipc --cgroup --net sh -c "$2" inner "$3"
"#;

/// Puts fresh file systems over what a machine changes.
const GROUND: &str = r#"
set -eu
mount --make-rprivate /
[ -e /sys/fs/cgroup/cgroup.controllers ] && unified=yes || unified=
trees=$(cut -d: -f2 /proc/self/cgroup | grep -v = | grep -v '^$' || true)
mount -t proc proc /proc
mount -t sysfs -o ro sysfs /sys
if [ -n "$unified" ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  for tree in $trees; do mkdir /sys/fs/cgroup/$tree; mount -t cgroup -o $tree cgroup /sys/fs/cgroup/$tree; done
  mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
fi
mount -t tmpfs -o mode=755 tmpfs /var
mkdir -p /var/lib /var/log /var/cache /var/spool
mkdir -m 1777 /var/tmp
ln -s /run /var/run
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/.upper /run/.work
mount -t overlay -o lowerdir=/etc,upperdir=/run/.upper,workdir=/run/.work overlay /etc
mkdir /run/.opt /run/.opt-work
mount -t overlay -o lowerdir=/opt,upperdir=/run/.opt,workdir=/run/.opt-work overlay /opt
ip link set lo up
hostname "$1"
echo "$1" > /etc/hostname
"#;

/// Becomes systemd.
const SYSTEMD: &str = r#"
for folder in sysinit basic sockets timers local-fs; do
  [ ! -d /lib/systemd/system/$folder.target.wants ] || mount -t tmpfs tmpfs /lib/systemd/system/$folder.target.wants
done
rm -rf /etc/systemd/system/*.wants
: > /etc/fstab
mkdir -p /etc/systemd/system/sk8scontroller.service.d
printf '[Service]\nStandardError=append:/var/log/trial\n' > /etc/systemd/system/sk8scontroller.service.d/trial.conf
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' > /etc/systemd/system/trial.target
ln -s /dev/null /etc/systemd/system/systemd-remount-fs.service
export container=trial
exec /lib/systemd/systemd --system --unit=trial.target --log-target=null --show-status=0
"#;

/// Becomes OpenRC, whose unpacked packages are laid below the host's own files.
const OPENRC: &str = r#"
mount -t overlay -o "lowerdir=$SK8S_OPENRC:/usr" overlay /usr
rm -rf /etc/init.d /etc/rc*.d
cp -a /usr/etc/. /etc/
: > /etc/insserv.conf
exec /sbin/openrc-init
"#;

/// Gives a machine an address.
const ALONE: &str = "
ip link add up0 type veth peer name up1
ip link set up1 up
ip address add 192.0.2.10/24 dev up0
ip link set up0 up
ip route add default via 192.0.2.1
";

/// Lays Debian's packages of iptables, which not every machine has, over the host's own.
const PROGRAMS: &str = r#"
mkdir /run/.usr /run/.usr-work
mount -t overlay -o "lowerdir=$SK8S_PROGRAMS:/usr,upperdir=/run/.usr,workdir=/run/.usr-work" overlay /usr
for name in iptables ip6tables; do
  for verb in '' -save -restore; do ln -sf xtables-nft-multi /usr/sbin/$name$verb; done
done
"#;

/// What is on the machine, each thing a line. systemd makes the group of all services with the first one.
const INVENTORY: &str = r#"
for process in /proc/[0-9]*; do
  [ "$(readlink $process/ns/user)" ] && printf 'process %s\n' "$(tr '\0\n' '  ' < $process/cmdline)"
done | grep -v -e 'process sh -c' -e 'process grep -v' -e 'process *$'
cut -d' ' -f5 /proc/self/mountinfo | sed 's/^/mount /'
ip -o link | cut -d: -f2 | sed 's/^/interface /'
nft list ruleset | sed 's/^/filter /'
find /sys/fs/cgroup -type d ! -name system.slice | sed 's/^/group /'
sed 's/^/account /' /etc/passwd /etc/group
find /var /run /etc /opt \( -path /run/systemd -o -path /run/openrc -o -path /run/.upper -o -path /run/.work -o -path '/run/.opt*' -o -path /var/log/trial \) -prune -o -print | sed 's/^/file /'
"#;

/// What a machine boots with.
struct Init {
    script: &'static str,
    /// The name of its process.
    process: &'static str,
    /// What says how far it is.
    asks: &'static [&'static str],
    /// What that says when it is up.
    up: &'static [&'static str],
}

const WITH_SYSTEMD: Init = Init {
    script: SYSTEMD,
    process: "systemd",
    asks: &["systemctl", "is-system-running"],
    up: &["running", "degraded"],
};
const WITH_OPENRC: Init =
    Init { script: OPENRC, process: "openrc-init", asks: &["cat", "/run/openrc/softlevel"], up: &["default"] };

/// A machine that has booted.
pub struct Machine {
    group: String,
    process: Child,
    init: u32,
}

impl Machine {
    /// Boots one that is plugged in nowhere.
    pub fn boot(name: &str) -> Self {
        Self::boot_with(&WITH_SYSTEMD, name)
    }

    fn boot_with(init: &Init, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let group = format!("sk8s-test-{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let script = [GROUND, init.script].concat();
        let mut command = Command::new("sh");
        command.args(["-c", OUTER, "outer", &group, &script, name]).stdin(Stdio::null()).process_group(0);
        let mut process = command.spawn().expect("a shell");
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let first = eventually("the machine's first process is there", || {
            assert!(process.try_wait().expect("ours").is_none(), "the machine did not boot");
            let text = std::fs::read_to_string(&children).ok()?;
            let pid = text.split_whitespace().next()?.parse().ok()?;
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            (name.trim() == init.process).then_some(pid)
        });
        let machine = Self { group, process, init: first };
        eventually("the machine is up", || {
            let said = machine.run(init.asks).stdout;
            init.up.contains(&String::from_utf8_lossy(&said).trim()).then_some(())
        });
        machine
    }

    /// A machine with an address that nobody else is near.
    pub fn boot_alone(name: &str) -> Self {
        Self::boot(name).addressed()
    }

    /// The same with OpenRC.
    pub fn boot_openrc(name: &str) -> Self {
        let wanted = "the folder of Debian's packages openrc, librc1 and libeinfo1, which `cargo xtask native` gets";
        assert!(std::env::var_os("SK8S_OPENRC").is_some(), "SK8S_OPENRC is not set: {wanted}");
        Self::boot_with(&WITH_OPENRC, name).addressed()
    }

    /// The same with iptables.
    pub fn with_programs(self) -> Self {
        let wanted = "the folder of Debian's packages of iptables, which `cargo xtask native` gets";
        assert!(std::env::var_os("SK8S_PROGRAMS").is_some(), "SK8S_PROGRAMS is not set: {wanted}");
        let said = self.run(&["sh", "-ec", PROGRAMS]);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        self
    }

    fn addressed(self) -> Self {
        let said = self.run(&["sh", "-ec", ALONE]);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        self
    }

    /// Its first process, by which its namespaces are found.
    pub const fn init(&self) -> u32 {
        self.init
    }

    fn command(&self, words: &[&str]) -> Command {
        let pid = self.init.to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &pid, "--all", "--"]).args(words).stdin(Stdio::null());
        command
    }

    /// Ends everything on it at once, as when its power goes.
    pub fn power_off(&self) {
        assert!(Command::new("kill").args(["-KILL", &self.init.to_string()]).status().expect("kill").success());
    }

    /// Whether it has been switched off.
    pub fn is_off(&self) -> bool {
        !Path::new(&format!("/proc/{}", self.init)).exists()
    }

    /// Runs a program on it.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("nsenter")
    }

    /// Starts a program on it, both its streams going to the end of a file there.
    pub fn start(&self, words: &[&str], log: &str) -> Child {
        let all = [&["sh", "-c", r#"exec "$@" >> "$0" 2>&1"#, log][..], words].concat();
        self.command(&all).spawn().expect("nsenter")
    }

    /// What a shell on it prints.
    pub fn shell(&self, script: &str) -> String {
        String::from_utf8_lossy(&self.run(&["sh", "-c", script]).stdout).trim().to_owned()
    }

    /// Everything on it.
    pub fn inventory(&self) -> BTreeSet<String> {
        self.shell(INVENTORY).lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", &self.init.to_string()]).status();
        let _ = self.process.wait();
        let trees: Vec<PathBuf> = std::fs::read_dir("/sys/fs/cgroup").map_or_else(
            |_| Vec::new(),
            |entries| {
                entries
                    .filter_map(Result::ok)
                    .map(|entry| entry.path())
                    .chain([Path::new("/sys/fs/cgroup").to_owned()])
                    .collect()
            },
        );
        for tree in trees {
            let group = tree.join(&self.group);
            for _ in 0..50 {
                let _ = Command::new("find")
                    .arg(&group)
                    .args(["-depth", "-type", "d", "-delete"])
                    .stderr(Stdio::null())
                    .status();
                if !group.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}
