//! Sockets with settings that the standard library does not have.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd, AsRawFd as _},
    time::Duration,
};

use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrStorage, bind, listen as start, recv, setsockopt,
    socket, sockopt,
};

/// Listens, without blocking; an IPv6 address is IPv6 alone.
///
/// # Errors
/// If the address is not the machine's, or the port is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    start(&socket, Backlog::new(1024)?)?;
    Ok(socket.into())
}

/// What has arrived on a connection and stays there to be read; none if the other end has said all.
///
/// # Errors
/// `WouldBlock` if nothing has, or what broke the connection.
pub fn peek(connection: &impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    Ok(recv(connection.as_fd().as_raw_fd(), bytes, flags)?)
}

/// How long an address may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether anyone listens there.
#[must_use]
pub fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, PATIENCE).is_ok()
}

/// Whether a machine is there and nobody listens: it says so itself. Silence, or no way there, tells nothing.
#[must_use]
pub fn refuses(address: SocketAddr) -> bool {
    let tried = TcpStream::connect_timeout(&address, PATIENCE);
    tried.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Seconds of silence before a connection is asked for a sign of life.
const IDLE: u32 = 10;
/// Seconds between such questions, and how many go unanswered before it is over.
const PROBES: (u32, u32) = (5, 3);
/// Milliseconds that what was sent may stay unacknowledged.
const UNACKNOWLEDGED: u32 = 25_000;

/// Makes a connection end when its other end is gone, within half a minute, and sends small pieces at once.
///
/// # Errors
/// If the socket is none.
pub fn keep_alive(socket: &impl AsFd) -> io::Result<()> {
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &IDLE)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &PROBES.0)?;
    setsockopt(socket, sockopt::TcpKeepCount, &PROBES.1)?;
    setsockopt(socket, sockopt::TcpUserTimeout, &UNACKNOWLEDGED)?;
    setsockopt(socket, sockopt::TcpNoDelay, &true)?;
    Ok(())
}
