//! Free ports on loopback.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// A TCP port on 127.0.0.1 that nobody listens on: `wanted` if that is free, else any.
///
/// # Errors
/// If the system has none.
pub fn free(wanted: Option<u16>) -> io::Result<u16> {
    let taken = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    wanted.and_then(|port| taken(port).ok()).map_or_else(|| taken(0), Ok)?.local_addr().map(|address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_given_out() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = holder.local_addr().unwrap().port();
        assert_ne!(free(Some(port)).unwrap(), port);
    }
}
