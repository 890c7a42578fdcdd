//! Who a cluster is: everything that must be the same on all its controllers, and nothing else.

use std::time::Duration;

use rcgen::KeyPair;
use serde::{Deserialize, Serialize};
use skerry_formats::name::Name;

use super::{
    authority::{Authority, CertError, LeafRequest},
    keyring::Keyring,
    kubeconfig::{ClusterLink, Credentials, kubeconfig},
    moment::UnixTime,
    subject::Subject,
};
use crate::config::Lifetimes;

/// A bare key pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPairPem {
    /// The public key, PEM.
    pub public: String,
    /// The private key, PKCS#8 PEM.
    pub private: String,
}

/// A cluster's identity. Whoever holds it is the cluster's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Signs every client and server of the cluster: `ca.crt`, `ca.key`.
    pub ca: Authority,
    /// Signs the one client that may speak for others (API aggregation): `front-proxy-ca.crt`, `front-proxy-ca.key`.
    pub front_proxy_ca: Authority,
    /// Signs service account tokens: `sa.pub`, `sa.key`.
    pub service_account: KeyPairPem,
    /// Signs the members of the cluster's own etcd and their one client: `etcd/ca.crt`, `etcd/ca.key`. There where etcd is
    /// used, and from then on.
    pub etcd_ca: Option<Authority>,
    /// What Secrets are encrypted with where they are stored: `keyring.json`. Made by the first controller.
    #[serde(default)]
    pub keyring: Option<Keyring>,
}

impl Identity {
    /// A new cluster's identity, good for ten years. `name` is told in the authorities' names only, for people.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(name: &Name, now: UnixTime) -> Result<Self, CertError> {
        Self::generate_for(name, Lifetimes::default().authority, now)
    }

    /// A new cluster's identity with authorities that are good for a span from now.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate_for(name: &Name, lifetime: Duration, now: UnixTime) -> Result<Self, CertError> {
        Ok(Self {
            ca: Authority::generate(&format!("{name} kubernetes-ca"), lifetime, now)?,
            front_proxy_ca: Authority::generate(&format!("{name} front-proxy-ca"), lifetime, now)?,
            service_account: KeyPairPem::generate()?,
            etcd_ca: None,
            keyring: None,
        })
    }

    /// An administrator's kubeconfig with everything inside, valid for a year.
    ///
    /// # Errors
    /// If the authority is unreadable.
    pub fn admin_kubeconfig(&self, server: &str, cluster: &Name, now: UnixTime) -> Result<String, CertError> {
        self.kubeconfig("admin", &admin(), (server, cluster), now)
    }

    /// A user's kubeconfig with everything inside: what the user may do, and the members of the group, is for the cluster's
    /// roles to say.
    ///
    /// # Errors
    /// If the authority is unreadable.
    pub fn user_kubeconfig(
        &self,
        (user, group): (&Subject, Option<&Subject>),
        lifetime: Duration,
        reached: (&str, &Name),
        now: UnixTime,
    ) -> Result<String, CertError> {
        let request = LeafRequest::client(user.as_str(), group.map(Subject::as_str));
        self.kubeconfig(user.as_str(), &LeafRequest { lifetime, ..request }, reached, now)
    }

    /// A kubeconfig with a new certificate inside, for the API server's URL and the cluster's name.
    fn kubeconfig(
        &self,
        user: &str,
        request: &LeafRequest,
        (server, cluster): (&str, &Name),
        now: UnixTime,
    ) -> Result<String, CertError> {
        let leaf = self.ca.issue(request, now)?;
        let link = ClusterLink { name: cluster.as_str(), server, ca_certificate: &self.ca.certificate };
        Ok(kubeconfig(&link, user, &Credentials::Inline(&leaf)))
    }
}

/// The administrator's certificate: the group is bound to `cluster-admin` by kube-apiserver itself.
#[must_use]
pub fn admin() -> LeafRequest {
    LeafRequest::client("kubernetes-admin", Some("system:masters"))
}

impl KeyPairPem {
    /// A new key pair.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate() -> Result<Self, CertError> {
        let key = KeyPair::generate().map_err(|source| CertError::new("generate a key", "service-account", source))?;
        Ok(Self { public: key.public_key_pem(), private: key.serialize_pem() })
    }
}
