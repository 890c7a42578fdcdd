//! How nodes reach one another through one port: docs/link.md.
//!
//! A controller listens on TCP 6443 alone. What a connection is for stands in its first bytes, in the clear: a TLS client
//! names the protocols it speaks (ALPN, RFC 7301). Ours are answered here, every other is spliced to kube-apiserver on
//! loopback. A worker listens on no outward address: it dials every controller, and keeps one connection to each, over which
//! the controller opens streams to the kubelet, to pods and to services.

use std::net::IpAddr;

use skerry_formats::token::Server;

mod accept;
mod balance;
mod call;
mod dial;
mod egress;
mod foreign;
mod front;
mod hello;
mod hosts;
mod mux;
mod registry;
mod route;
mod splice;
mod talk;
mod tls;
mod undecided;
mod way;

pub use balance::balance;
pub use call::{Own, Ranges};
pub use dial::{Needs, Servers, call, greet, keep};
pub use egress::{EgressError, Reach, Ways, serve as serve_egress};
pub use foreign::{ANOTHER, is_request_to_another, told};
pub use front::{Front, Keys};
pub use hosts::{called as called_hosts, keep as keep_hosts};
pub use registry::Registry;
pub use route::METRICS_SERVER;
pub use tls::{Answering, Credentials, TlsError, expiry_of, is_foreign, joining, print_of, renewing};

/// The protocol of a node that joins.
pub const JOIN: &[u8] = b"sk8s-join/1";
/// The protocol of a node that renews its certificates.
pub const RENEW: &[u8] = b"sk8s-renew/1";
/// The protocol of a node that joined.
pub const LINK: &[u8] = b"sk8s-link/1";

/// A controller's addresses as a worker calls them, the main one first.
#[must_use]
pub fn servers(addresses: &[IpAddr], main: IpAddr) -> Vec<Server> {
    let rest = addresses.iter().copied().filter(|address| *address != main);
    std::iter::once(main).chain(rest).filter_map(server).collect()
}

/// A controller by its address.
#[must_use]
pub fn server(address: IpAddr) -> Option<Server> {
    let text = match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    text.parse().ok()
}

/// The port of a controller.
pub const PORT: u16 = skerry_formats::token::PORT;

#[cfg(test)]
mod tests;
