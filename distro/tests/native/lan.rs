//! A local network: namespaces joined by a switch, and routers that hide who is behind them.

use std::{net::IpAddr, process::Command, thread};

use nix::sched::{CloneFlags, setns};

use super::machine::Machine;

/// A network namespace; it goes with its interfaces when dropped.
pub struct Space(String);

impl Space {
    pub fn new(name: &str) -> Self {
        let space = Self(format!("sk8s-{name}-{}", std::process::id()));
        ip(&["netns", "add", &space.0]);
        space.ip("link set lo up");
        space
    }

    /// Runs `ip` inside and returns what it says.
    pub fn ip(&self, words: &str) -> String {
        ip(&[&["-n", &self.0], &words.split(' ').collect::<Vec<_>>()[..]].concat())
    }

    /// Does something inside; processes it starts stay there.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let space = std::fs::File::open(format!("/run/netns/{}", self.0)).expect("a namespace");
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(space, CloneFlags::CLONE_NEWNET).expect("the administrator may enter it");
                work()
            });
            inside.join().expect("done")
        })
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// The switch that machines are plugged into; it has an address of its own, which knows nothing of pods.
pub struct Lan(pub Space);

impl Lan {
    const ADDRESS: &str = "192.168.99.254";

    pub fn new() -> Self {
        let space = Space::new("lan");
        space.ip("link add switch type bridge");
        space.ip(&format!("addr add {}/24 dev switch", Self::ADDRESS));
        space.ip("link set switch up");
        Self(space)
    }

    /// Boots a machine that is plugged in.
    pub fn boot(&self, name: &str, address: IpAddr) -> Machine {
        let machine = Machine::boot(name);
        self.0.ip(&format!("link add {name} type veth peer name eth0 netns {}", machine.init()));
        self.0.ip(&format!("link set {name} master switch up"));
        wire(&machine, &format!("{address}/24"), Self::ADDRESS);
        machine
    }

    /// Boots a machine behind a router that translates addresses: it reaches the network, and nobody there reaches it.
    pub fn boot_hidden(&self, name: &str, router_address: IpAddr) -> (Space, Machine) {
        let router = Space::new("router");
        self.0.ip(&format!("link add to-router type veth peer name outer netns {}", router.0));
        self.0.ip("link set to-router master switch up");
        router.ip(&format!("addr add {router_address}/24 dev outer"));
        router.ip("link set outer up");
        router.within(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("a router"));
        let rules = "table ip nat { chain out { type nat hook postrouting priority 100; oifname outer masquerade; }; }";
        let done = router.within(|| Command::new("nft").arg(rules).output().expect("nft runs"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let machine = Machine::boot(name);
        router.ip(&format!("link add inner type veth peer name eth0 netns {}", machine.init()));
        router.ip("addr add 10.9.9.1/24 dev inner");
        router.ip("link set inner up");
        wire(&machine, "10.9.9.2/24", "10.9.9.1");
        (router, machine)
    }
}

fn wire(machine: &Machine, address: &str, gateway: &str) {
    let script = format!("ip addr add {address} dev eth0 && ip link set eth0 up && ip route add default via {gateway}");
    let done = machine.run(&["sh", "-c", &script]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn ip(args: &[&str]) -> String {
    let out = Command::new("ip").args(args).output().expect("ip runs");
    assert!(out.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}
