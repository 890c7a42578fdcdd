//! What is said when a node joins: one request, one answer, each a JSON text behind its length in bytes (u32, big-endian).

use std::{fmt, io, net::IpAddr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use skerry_formats::{
    role::Role,
    token::{Server, TokenId, TokenSecret},
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::judge::Refusal;
use crate::{config::NodeName, peers::Peer, pki::Identity};

/// The largest message, in bytes.
const LARGEST: u32 = 256 * 1024;
/// The largest request: whoever reaches the port may send one. A worker's, with three signing requests, has less than 2 KiB.
const LARGEST_REQUEST: u32 = 32 * 1024;

/// A node that wants to join.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Its name.
    pub node: NodeName,
    /// The token's public half.
    pub token: TokenId,
    /// The token's secret half.
    pub secret: TokenSecret,
    /// What it wants to be.
    pub wants: Wants,
}

/// What a node wants to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wants {
    /// A worker with these keys.
    Worker(SigningRequests),
    /// One more controller.
    Controller(Candidate),
}

impl Wants {
    /// The role, as tokens name it.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Worker(_) => Role::Worker,
            Self::Controller(_) => Role::Controller,
        }
    }
}

/// A node that wants to be a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where the other controllers' etcd would reach its own.
    pub peer: IpAddr,
}

/// A node that joined before, and proves so by its certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenewRequest {
    /// Over its keys.
    pub keys: SigningRequests,
}

/// Signing requests of a worker, PEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SigningRequests {
    /// The node as a caller.
    pub node: String,
    /// The node as a server of logs and exec.
    pub server: String,
    /// The node's proxy as a caller.
    pub proxy: String,
}

/// A controller's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Yes, as a worker.
    Admitted(Box<Admission>),
    /// Yes, as a controller.
    Appointed(Box<Appointment>),
    /// No.
    Refused(Refusal),
}

/// All that a worker needs of its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The cluster authority's certificate, PEM.
    pub authority: String,
    /// What was signed.
    pub certificates: Certificates,
    /// For how many seconds it is good; it is to be renewed at two thirds of that.
    pub lifetime: u64,
    /// The parts of the cluster's configuration that every node shares: the text of a `ClusterConfig`.
    pub config: String,
    /// Where controllers are.
    pub servers: Vec<Server>,
}

/// All that a controller needs of its cluster. Whoever holds it is the cluster's owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The cluster's keys.
    pub identity: Identity,
    /// The configuration that controllers share: the text of a `ClusterConfig`.
    pub config: String,
    /// The other members of the cluster's own etcd, if it has one.
    pub peers: Vec<Peer>,
}

impl fmt::Debug for Appointment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Appointment(among {:?})", self.peers)
    }
}

/// Certificates of a worker, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// The node as a caller.
    pub node: String,
    /// The node as a server.
    pub server: String,
    /// The node's proxy as a caller.
    pub proxy: String,
}

/// Reads a message.
///
/// # Errors
/// If it ends early, is too large, or is not what is expected.
pub async fn read<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    read_up_to(LARGEST, from).await
}

/// Reads what a node asks for.
///
/// # Errors
/// If it ends early, is too large for a request, or is not what is expected.
pub async fn read_request<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    read_up_to(LARGEST_REQUEST, from).await
}

async fn read_up_to<T: DeserializeOwned>(most: u32, from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = from.read_u32().await?;
    if length > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes")));
    }
    let mut text = vec![0; length as usize];
    from.read_exact(&mut text).await?;
    serde_json::from_slice(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Writes a message.
///
/// # Errors
/// If nobody takes it.
pub async fn write<T: Serialize + Sync>(to: &mut (impl AsyncWrite + Unpin), message: &T) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(|_| io::Error::other("a message too large"))?;
    to.write_u32(length).await?;
    to.write_all(&text).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::{Answer, JoinRequest, LARGEST_REQUEST, Wants, read, read_request, write};
    use crate::join::PrivateKeys;

    #[tokio::test]
    async fn a_message_that_is_too_large_or_cut_off_is_refused() {
        let mut bytes = Vec::new();
        write(&mut bytes, &"hello").await.expect("written");
        assert_eq!(read::<String>(&mut &bytes[..]).await.expect("whole"), "hello");
        assert!(read::<String>(&mut &bytes[..bytes.len() - 1]).await.is_err());
        assert!(read::<String>(&mut &[0xff, 0xff, 0xff, 0xff, b'"'][..]).await.is_err());
        assert!(read::<Answer>(&mut &bytes[..]).await.is_err());
    }
    #[tokio::test]
    async fn a_workers_request_is_far_smaller_than_the_largest() {
        let keys = PrivateKeys::generate().expect("randomness");
        let request = JoinRequest {
            node: "a".repeat(63).parse().expect("a name"),
            token: "abc123".parse().expect("valid"),
            secret: "0123456789abcdef".parse().expect("valid"),
            wants: Wants::Worker(keys.requests().expect("requests")),
        };
        let mut bytes = Vec::new();
        write(&mut bytes, &request).await.expect("written");
        assert!(bytes.len() < 2048, "{}", bytes.len());
        assert_eq!(read_request::<JoinRequest>(&mut &bytes[..]).await.expect("whole").node, request.node);
        let mut large = Vec::new();
        write(&mut large, &"x".repeat(LARGEST_REQUEST as usize)).await.expect("written");
        assert!(read_request::<String>(&mut &large[..]).await.is_err());
        assert!(read::<String>(&mut &large[..]).await.is_ok(), "an answer may be so long");
    }
}
