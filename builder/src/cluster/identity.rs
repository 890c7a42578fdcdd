//! The keys that a cluster is: made once, kept in a folder that only their owner can read.

use std::path::Path;

use sk8s::pki::{Authority, Identity, KeyPairPem, UnixTime};
use skerry_formats::{
    name::Name,
    role::Role,
    seed::{BadText, ClusterIdentity, HostName, Section, Seed},
};

use super::ClusterError;
use crate::{
    clock,
    fsx::{self, FsError},
};

const FILES: [&str; 6] = ["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.pub", "sa.key"];

/// The seed of a single node, in its cluster's folder.
pub(super) const SEED: &str = "seed.yaml";

/// What a cluster's owner hands out.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The seed of its single node.
    pub seed: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: String,
}

/// Makes the identity kept in `folder`, or finds it, and hands out a seed and a kubeconfig for `server`.
///
/// # Errors
/// If files cannot be read or written, or kept keys are damaged.
pub fn hand_out(folder: &Path, name: &Name, server: &str) -> Result<Handed, ClusterError> {
    let now = UnixTime(clock::unix_now());
    let host = name.as_str().parse().map_err(|source| ClusterError::Name { name: name.clone(), source })?;
    let pki = folder.join("pki");
    let identity = match kept(&pki)? {
        Some(identity) => identity,
        None => keep(&pki, Identity::generate(name, now)?)?,
    };
    let seed = seed_of(&identity, name, host)?.to_cloud_config()?;
    Ok(Handed { seed, kubeconfig: identity.admin_kubeconfig(server, name, now)? })
}

/// Makes a new cluster in a folder that holds none yet.
///
/// # Errors
/// As [`hand_out`], and if there is a cluster already.
pub fn create(folder: &Path, name: &Name, server: &str) -> Result<Handed, ClusterError> {
    if fsx::symlink_metadata(&folder.join("pki"))?.is_some() {
        return Err(ClusterError::Exists(folder.display().to_string()));
    }
    let handed = hand_out(folder, name, server)?;
    write_secret(&folder.join(SEED), &handed.seed)?;
    write_secret(&folder.join("admin.kubeconfig"), &handed.kubeconfig)?;
    Ok(handed)
}

/// The identity that is kept in a folder, if there is one.
pub(super) fn kept(pki: &Path) -> Result<Option<Identity>, FsError> {
    if fsx::symlink_metadata(pki)?.is_none() {
        return Ok(None);
    }
    let file = |name: &str| fsx::read_to_string(&pki.join(name));
    let authority = |cert, key| Ok::<_, FsError>(Authority { certificate: file(cert)?, key: file(key)? });
    Ok(Some(Identity {
        ca: authority(FILES[0], FILES[1])?,
        front_proxy_ca: authority(FILES[2], FILES[3])?,
        service_account: KeyPairPem { public: file(FILES[4])?, private: file(FILES[5])? },
        // A node that keeps its objects in etcd makes this one itself.
        etcd_ca: None,
        keyring: None,
    }))
}

/// Written beside and renamed, so that an identity is kept whole or not at all.
pub(super) fn keep(pki: &Path, identity: Identity) -> Result<Identity, FsError> {
    let parent = pki.parent().unwrap_or(Path::new("."));
    let folder = fsx::temp_dir_in(parent)?;
    let texts = [
        &identity.ca.certificate,
        &identity.ca.key,
        &identity.front_proxy_ca.certificate,
        &identity.front_proxy_ca.key,
        &identity.service_account.public,
        &identity.service_account.private,
    ];
    for (name, text) in FILES.iter().zip(texts) {
        write_secret(&folder.path().join(name), text)?;
    }
    fsx::set_mode(folder.path(), 0o700)?;
    fsx::rename(folder.path(), pki)?;
    let _moved = folder.keep();
    Ok(identity)
}

pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), FsError> {
    fsx::write_atomic_secret(path, text.as_bytes())
}

fn seed_of(identity: &Identity, name: &Name, host: HostName) -> Result<Seed, BadText> {
    let section = Section { role: Some(Role::Single), cluster: keys(identity, name)?, ..Section::default() };
    Ok(Seed { hostname: Some(host), skerry: section, ..Seed::default() })
}

/// A cluster's keys as the seed of a controller has them.
pub(super) fn keys(identity: &Identity, name: &Name) -> Result<ClusterIdentity, BadText> {
    Ok(ClusterIdentity {
        name: Some(name.clone()),
        ca_cert: Some(identity.ca.certificate.parse()?),
        ca_key: Some(identity.ca.key.clone().into()),
        front_proxy_ca_cert: Some(identity.front_proxy_ca.certificate.parse()?),
        front_proxy_ca_key: Some(identity.front_proxy_ca.key.clone().into()),
        sa_key: Some(identity.service_account.private.clone().into()),
        sa_pub: Some(identity.service_account.public.parse()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_kept_and_its_seed_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let name: Name = "demo".parse().unwrap();
        let first = create(dir.path(), &name, "https://127.0.0.1:6443").unwrap();
        let again = hand_out(dir.path(), &name, "https://127.0.0.1:7443").unwrap();
        assert_eq!(first.seed, again.seed);
        assert!(again.kubeconfig.contains("https://127.0.0.1:7443"));
        assert!(matches!(create(dir.path(), &name, "x"), Err(ClusterError::Exists(_))));
    }

    #[test]
    fn a_name_that_no_host_may_have_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a_b", "ends-"] {
            let made = create(dir.path(), &name.parse().unwrap(), "https://127.0.0.1:6443");
            assert!(matches!(made, Err(ClusterError::Name { .. })), "{name}");
        }
        assert!(fsx::read_dir(dir.path()).unwrap().is_empty());
    }

    #[test]
    fn keys_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), &"demo".parse().unwrap(), "https://127.0.0.1:6443").unwrap();
        for path in ["pki/ca.key", "seed.yaml", "admin.kubeconfig"] {
            let meta = fsx::symlink_metadata(&dir.path().join(path)).unwrap().unwrap();
            assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{path}");
        }
    }
}
