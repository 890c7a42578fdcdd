//! How a node becomes part of a cluster: tokens, what is asked and answered, and what a worker keeps of it.
//!
//! A worker asks a controller once, with a token, over TLS whose authority the token names. It sends signing requests; its
//! private keys never leave it. A controller asks the same way, and is given the cluster's keys; one that has them already and
//! may make the cluster first asks whether there is one. Later it asks again with the certificate it was given, before that ends or after.

mod ask;
mod found;
mod judge;
mod membership;
mod message;
mod office;
mod pre_shared;
mod probe;
mod record;
mod roster;
mod seat;
mod serve;

pub use ask::{AskError, appoint, join, news, renew};
pub use found::{Has, Heard, Next, Own, SILENCE, Silence, Start, start};
pub use judge::Refusal;
pub use membership::{Membership, MembershipError, PrivateKeys};
pub use message::{
    Admission, Answer, Appointment, Candidate, Certificates, JoinRequest, RenewRequest, SigningRequests, Wants, read,
    read_request, write,
};
pub use office::Office;
pub use pre_shared::{BadTokens, make_known, read_tokens};
pub use probe::probe;
pub use record::{BadRecord, NodeRecord, SECRETS, TokenRecord};
pub use roster::Roster;
pub use seat::{Council, Opened, Seats};
pub use serve::Admitter;

#[cfg(test)]
mod tests;
