//! Machines of a local network, as network namespaces joined by a bridge, and what they say to each other.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::Command,
    thread,
    time::Duration,
};

use nix::sched::{CloneFlags, setns};

/// More than one packet of any link takes, so that one which is too large for the way shows.
const PAYLOAD: usize = 256 * 1024;

/// A network namespace; it goes with its interfaces when dropped.
pub struct Space(String);

impl Space {
    pub fn new(name: &str) -> Self {
        let space = Self(format!("sk8s-{name}-{}", std::process::id()));
        ip(&["netns", "add", &space.0]);
        space.ip("link set lo up");
        space
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    pub fn path(&self) -> String {
        format!("/run/netns/{}", self.0)
    }

    /// Runs `ip` inside and returns what it says.
    pub fn ip(&self, words: &str) -> String {
        ip(&[&["-n", &self.0], &words.split(' ').collect::<Vec<_>>()[..]].concat())
    }

    /// Does something inside; processes it starts stay there.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let space = std::fs::File::open(self.path()).expect("a namespace");
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(space, CloneFlags::CLONE_NEWNET).expect("the administrator may enter it");
                work()
            });
            inside.join().expect("done")
        })
    }

    /// What `GET /healthz` on a loopback port says, if anybody answers.
    pub fn health(&self, port: u16) -> Option<u16> {
        self.within(|| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
            stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer.split(' ').nth(1)?.parse().ok()
        })
    }

    /// Sends a lot of bytes to an address in another namespace; returns whom they came from as seen there, `None` if they
    /// do not all arrive.
    pub fn send(&self, to: &Self, address: IpAddr) -> Option<IpAddr> {
        let patience = Some(Duration::from_secs(5));
        let listener = to.within(|| TcpListener::bind(SocketAddr::new(address, 0)).expect("a free port"));
        let target = listener.local_addr().expect("bound");
        thread::scope(|scope| {
            let sender = scope.spawn(|| {
                self.within(|| {
                    let mut stream = TcpStream::connect_timeout(&target, Duration::from_secs(2)).ok()?;
                    stream.set_write_timeout(patience).ok()?;
                    stream.write_all(&[7; PAYLOAD]).ok()
                })
            });
            listener.set_nonblocking(true).expect("a socket");
            let (mut stream, peer) = loop {
                match listener.accept() {
                    Ok(accepted) => break accepted,
                    Err(_) if sender.is_finished() => return None,
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            };
            stream.set_nonblocking(false).ok()?;
            stream.set_read_timeout(patience).ok()?;
            let mut received = Vec::new();
            stream.read_to_end(&mut received).ok()?;
            (received.len() == PAYLOAD).then_some(peer.ip())
        })
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// The switch that all machines are plugged into; it has an address of its own, which knows nothing of pods.
pub struct Lan(pub Space);

impl Lan {
    pub const ADDRESS: &str = "192.168.99.254";

    pub fn new() -> Self {
        let space = Space::new("lan");
        space.ip("link add switch type bridge");
        space.ip(&format!("addr add {}/24 dev switch", Self::ADDRESS));
        space.ip("link set switch up");
        Self(space)
    }

    /// Plugs a machine in.
    pub fn join(&self, name: &str, address: IpAddr) -> Space {
        let space = Space::new(name);
        self.0.ip(&format!("link add {name} type veth peer name eth0 netns {}", space.0));
        self.0.ip(&format!("link set {name} master switch up"));
        space.ip(&format!("addr add {address}/24 dev eth0"));
        space.ip("link set eth0 up");
        space.ip(&format!("route add default via {}", Self::ADDRESS));
        space
    }
}

fn ip(args: &[&str]) -> String {
    let out = Command::new("ip").args(args).output().expect("ip runs");
    assert!(out.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}
