//! The controllers of a cluster whose objects are in an etcd of its own: who is a member, how a controller becomes one, and
//! how it ceases to be.
//!
//! etcd itself holds the list. What a controller must know before its member runs is in one small file: whether to listen
//! for others, and at its first start, whom to ask. A new member begins as a learner, which has no vote, and gets one as
//! soon as it has caught up: a controller that never comes does not weaken the cluster. A ConfigMap shows the list to whoever
//! has the API and no shell, and takes wishes to have a member out.

mod dismiss;
mod etcd;
mod judge;
mod known;
mod roll;
mod tend;

pub use dismiss::dismiss;
pub use etcd::{Etcd, EtcdError, Member, MemberId};
pub use judge::{Admit, Barred, Door, Removal, admit, remove};
pub use known::{Company, Known, KnownError, Peer};
pub use roll::{LEAVE, ROLL, due};
pub use tend::tend;

use std::net::{IpAddr, SocketAddr};

/// The port of members for members.
const PORT: u16 = 2380;

/// Where a member listens for the others.
#[must_use]
pub const fn address(ip: IpAddr) -> SocketAddr {
    SocketAddr::new(ip, PORT)
}

/// A member's URL for the others.
#[must_use]
pub fn url(ip: IpAddr) -> String {
    format!("https://{}", address(ip))
}
