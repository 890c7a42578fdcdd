//! Seeds: what a node is told about itself, as cloud-init's `#cloud-config` YAML with a `skerry:` section.
//!
//! raw → merged → validated. [`read`] turns one source's bytes into a [`Layer`], in which every key and every value was
//! checked on its own; [`Layer::over`] merges layers, the later winning per key; [`Layer::validate`] checks what belongs
//! together and gives the typed [`Seed`]. Every key remembers its source. Nothing is ignored: what is not carried out is
//! an error, with the source, the line, the nearest known key or what to do instead.

mod foreign;
mod layer;
mod line;
mod meta;
mod network;
mod path;
mod problem;
mod raw;
mod schema;
mod section;
mod shape;
mod text;
mod validate;

#[cfg(test)]
mod tests;

pub use layer::{Explained, Layer};
pub use meta::{read_meta_data, refuse_network_config};
pub use network::Interface;
pub use path::{KeyPath, Segment};
pub use problem::{Fault, Problem, Problems, Source};
pub use raw::{Header, SIZE_LIMIT, read};
pub use section::{
    AdminKubeconfig, Api, ClusterIdentity, Encoding, HandOut, Ntp, Section, Seed, Timezone, Workloads, WriteFile,
};
pub use text::{
    Address, BadText, Cidr, Domain, FilePath, HostName, InterfaceName, LabelKey, LabelValue, Mac, Owner, Pem,
    Permissions, San, Secret, SshKey, Taint,
};

pub(crate) use line::line_of;
pub(crate) use path::printable;
pub(crate) use raw::{checked, decode};
pub(crate) use schema::{INTERFACE, LABELS, TAINTS};
pub(crate) use shape::{Shape, typed};
pub(crate) use validate::interfaces;

/// The first line of a seed.
pub const HEADER: &str = "#cloud-config";
