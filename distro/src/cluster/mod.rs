//! A cluster of plain Linux hosts, made and cared for over SSH by whoever holds the file of its hosts.
//!
//! What is on the hosts is observed ([`Seen`]), judged, and planned from ([`plan`]): nothing is planned for a cluster that is
//! as its file says, and what a failure left undone is planned again the next time. [`Site`] carries a plan out.

mod account;
mod company;
mod connection;
mod error;
mod file;
mod fleet;
mod judge;
mod plan;
mod program;
mod render;
mod reset;
mod seen;
mod site;
mod step;
mod way;

pub mod script;
pub mod status;

#[cfg(test)]
mod tests;

pub use account::Account;
pub use company::company;
pub use connection::{Connection, Sockets};
pub use error::{ClusterError, HostError, Refusal};
pub use file::{Imported, import, read};
pub use fleet::{Fleet, Need, Reached, Unreached, missing, tell};
pub use judge::judge;
pub use plan::plan;
pub use program::{Program, Programs, find as find_programs, find_some as find_some_programs};
pub use render::{MARK, config, is_configured, words};
pub use reset::{heir, judge as judge_reset, plan as reset};
pub use seen::{ConfigFile, Installed, Observed, Running, Seen};
pub use site::Site;
pub use step::{Act, Round, Step};
pub use way::{Rights, Way};

/// Where sk8s lies on a host.
pub const PROGRAM: &str = "/usr/local/bin/sk8s";
/// Where a controller's configuration lies.
pub const CONFIG: &str = "/etc/sk8s/sk8s.yaml";
/// Where a token lies until its host has joined.
pub const TOKEN: &str = "/etc/sk8s/token";
