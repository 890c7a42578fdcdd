//! Network interfaces, asked for and removed over rtnetlink(7), since a host may have no `ip` program.

use std::{io, os::fd::AsRawFd as _};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The number of the bridge that it is a port of.
    pub bridge: Option<u32>,
    /// What the kernel calls a device of its own making: `bridge`, `vxlan`, `veth` …
    pub kind: Option<String>,
}

/// An exchange that failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} network interfaces")]
pub struct LinkError {
    action: &'static str,
    #[source]
    source: io::Error,
}

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const REQUEST: u16 = 0x1;
const ACKNOWLEDGE: u16 = 0x4;
const DUMP: u16 = 0x300;
const NAME: u16 = 3;
const MASTER: u16 = 10;
const LINK_INFO: u16 = 18;
const INFO_KIND: u16 = 1;
/// What an attribute's kind is without the marks of nesting and byte order (`NLA_TYPE_MASK`).
const KIND: u16 = 0x3fff;
const HEADER: usize = 16;
const INFO: usize = 16;

/// All interfaces of this network namespace.
///
/// # Errors
/// If the kernel does not answer.
pub fn links() -> Result<Vec<Link>, LinkError> {
    let failed = |source| LinkError { action: "list", source };
    let mut found = Vec::new();
    exchange(&request(GET_LINK, REQUEST | DUMP, 0), |kind, body| {
        if kind == NEW_LINK {
            found.extend(link(body));
        }
    })
    .map_err(failed)?;
    Ok(found)
}

/// Removes an interface; one that is gone is fine.
///
/// # Errors
/// If the kernel refuses.
pub fn remove(index: u32) -> Result<(), LinkError> {
    match exchange(&request(DELETE_LINK, REQUEST | ACKNOWLEDGE, index), |_, _| {}) {
        Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => Ok(()),
        other => other.map_err(|source| LinkError { action: "remove", source }),
    }
}

/// A message of `struct nlmsghdr` and `struct ifinfomsg`.
fn request(kind: u16, flags: u16, index: u32) -> Vec<u8> {
    let length = u32::try_from(HEADER + INFO).unwrap_or_default();
    let mut message = Vec::with_capacity(HEADER + INFO);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]); // sequence, sender
    message.extend([0; 4]); // family, kind of hardware
    message.extend(index.to_ne_bytes());
    message.extend([0; 8]); // flags, changes
    message
}

fn exchange(message: &[u8], mut take: impl FnMut(u16, &[u8])) -> io::Result<()> {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    sendto(socket.as_raw_fd(), message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        for (kind, body) in messages(&buffer[..length.min(buffer.len())]) {
            match kind {
                DONE => return Ok(()),
                ERROR => return answer(body),
                _ => take(kind, body),
            }
        }
    }
}

/// An acknowledgement carries 0, an error a negative number.
fn answer(body: &[u8]) -> io::Result<()> {
    match number(body, 0).map(|code| i32::from_ne_bytes(code.to_ne_bytes())) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The messages in what was received, each with its kind; what is cut off is left out.
fn messages(mut rest: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (number(rest, 0), short(rest, 4)) {
        let length = length as usize;
        let Some(body) = rest.get(HEADER..length) else { break };
        found.push((kind, body));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// An interface from a `struct ifinfomsg` and its attributes.
fn link(body: &[u8]) -> Option<Link> {
    let index = number(body, 4)?;
    let (mut name, mut bridge, mut made) = (None, None, None);
    for (kind, value) in attributes(body.get(INFO..)?) {
        match kind {
            NAME => name = Some(text(value)),
            MASTER => bridge = number(value, 0),
            LINK_INFO => {
                made = attributes(value).into_iter().find(|(kind, _)| *kind == INFO_KIND).map(|(_, v)| text(v))
            }
            _ => {}
        }
    }
    Some(Link { index, name: name?, bridge, kind: made })
}

/// Attributes, each a `struct nlattr` with its value; what is cut off is left out.
fn attributes(mut rest: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (short(rest, 0), short(rest, 2)) {
        let Some(value) = rest.get(4..usize::from(length)) else { break };
        found.push((kind & KIND, value));
        rest = rest.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).expect("short");
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_port_of_a_bridge_is_read() {
        let mut body = vec![0; 4];
        body.extend(7_u32.to_ne_bytes());
        body.extend([0; 8]);
        body.extend(attribute(NAME, b"veth0\0"));
        body.extend(attribute(MASTER, &3_u32.to_ne_bytes()));
        let port = Link { index: 7, name: "veth0".into(), bridge: Some(3), kind: None };
        assert_eq!(link(&body), Some(port.clone()));
        let info = [attribute(INFO_KIND, b"veth\0"), attribute(2, &[1; 9])].concat();
        for mark in [0, 0x8000] {
            let body = [&body[..], &attribute(LINK_INFO | mark, &info)].concat();
            assert_eq!(link(&body), Some(Link { kind: Some("veth".into()), ..port.clone() }));
        }
    }

    #[test]
    fn loopback_is_among_our_links() {
        let found = links().expect("the kernel answers");
        assert!(found.iter().any(|link| link.name == "lo" && link.index == 1), "{found:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = link(&bytes);
            for (_, body) in messages(&bytes) {
                prop_assert!(body.len() < bytes.len());
            }
        }
    }
}
