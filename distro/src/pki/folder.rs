//! The cluster's keys in a controller's folder, which last: read, or made there once by the service alone.
//!
//! Each pair is two files, and a power loss may come between them. While the first keys are made there is a marker, so that the
//! next start knows half a pair for its own, which nothing was ever signed with, and begins again.

use std::path::{Path, PathBuf};

use super::{
    authority::Authority,
    files::{EtcdUse, PkiError},
    identity::{Identity, KeyPairPem},
    keyring::Keyring,
    moment::UnixTime,
};
use crate::{
    config::Settings,
    sys::{
        accounts::Account,
        fs::{self, Access},
    },
};

/// Whether keys were in use already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// There are no objects yet on this machine.
    New,
    /// There are.
    Begun,
}

/// Its name while first keys are made.
const MAKING: &str = "making";
/// What the marker says to people.
const MADE_HERE: &[u8] = b"the cluster's first keys are being made: what is missing its other half is made again\n";

const CA: [&str; 2] = ["ca.crt", "ca.key"];
const FRONT_PROXY_CA: [&str; 2] = ["front-proxy-ca.crt", "front-proxy-ca.key"];
const SERVICE_ACCOUNT: [&str; 2] = ["sa.pub", "sa.key"];
pub(super) const ETCD_CA: [&str; 2] = ["etcd/ca.crt", "etcd/ca.key"];

/// What lies in a folder.
struct Found {
    ca: Option<Authority>,
    front_proxy_ca: Option<Authority>,
    service_account: Option<KeyPairPem>,
    etcd_ca: Option<Authority>,
    keyring: Option<Keyring>,
}

impl Found {
    fn read(folder: &Path) -> Result<Self, PkiError> {
        let authority =
            |names| Ok::<_, PkiError>(pair(folder, names)?.map(|[certificate, key]| Authority { certificate, key }));
        Ok(Self {
            ca: authority(CA)?,
            front_proxy_ca: authority(FRONT_PROXY_CA)?,
            service_account: pair(folder, SERVICE_ACCOUNT)?.map(|[public, private]| KeyPairPem { public, private }),
            etcd_ca: authority(ETCD_CA)?,
            keyring: load_keyring(folder)?,
        })
    }

    /// With all that a cluster needs; what it may be without is as it is.
    fn whole(self) -> Option<Identity> {
        Some(Identity {
            ca: self.ca?,
            front_proxy_ca: self.front_proxy_ca?,
            service_account: self.service_account?,
            etcd_ca: self.etcd_ca,
            keyring: self.keyring,
        })
    }
}

/// Takes the cluster's keys as they lie in a folder, and changes nothing there: for all but the service.
///
/// # Errors
/// If they are not all there yet, half of a pair is missing, or a file cannot be read.
pub fn load(folder: &Path) -> Result<Identity, PkiError> {
    let found = Found::read(folder);
    if fs::exists(&folder.join(MAKING)) {
        return Err(PkiError::NotMade(folder.to_owned()));
    }
    found?.whole().ok_or_else(|| PkiError::NotMade(folder.to_owned()))
}

/// Takes the authorities that lie in a folder as the cluster's own, and makes those that do not; etcd's only where it is
/// used. The service alone may do so.
///
/// # Errors
/// If half of a pair is missing, or a file cannot be read or written.
pub fn load_or_make(folder: &Path, settings: &Settings, cluster: Cluster, now: UnixTime) -> Result<Identity, PkiError> {
    fs::create_folder(folder, Access::Private, Account::ROOT)?;
    let marker = folder.join(MAKING);
    if cluster == Cluster::New && fs::exists(&marker) {
        drop_halves(folder)?;
    }
    let found = Found::read(folder)?;
    let lacks_etcd = found.etcd_ca.is_none() && EtcdUse::of(&settings.storage) == EtcdUse::Own;
    let pairs = found.ca.is_some() && found.front_proxy_ca.is_some() && found.service_account.is_some();
    if cluster == Cluster::New && (!pairs || lacks_etcd) {
        fs::write(&marker, MADE_HERE, Access::Private, Account::ROOT)?;
    }
    let identity = completed(found, settings, now)?;
    lay_out(folder, &identity)?;
    if fs::exists(&marker) {
        fs::remove_file(&marker)?;
        fs::persist(folder)?;
    }
    Ok(identity)
}

/// What is found, and new in the place of what is not.
fn completed(found: Found, settings: &Settings, now: UnixTime) -> Result<Identity, PkiError> {
    let lifetime = settings.api.lifetimes.authority;
    let etcd_ca = match (found.etcd_ca, EtcdUse::of(&settings.storage)) {
        (None, EtcdUse::Own) => Some(Authority::generate(&format!("{} etcd-ca", settings.cluster), lifetime, now)?),
        (etcd_ca, _) => etcd_ca,
    };
    let fresh = Identity::generate_for(&settings.cluster, lifetime, now)?;
    Ok(Identity {
        ca: found.ca.unwrap_or(fresh.ca),
        front_proxy_ca: found.front_proxy_ca.unwrap_or(fresh.front_proxy_ca),
        service_account: found.service_account.unwrap_or(fresh.service_account),
        etcd_ca,
        keyring: Some(found.keyring.map_or_else(Keyring::generate, Ok)?),
    })
}

/// Writes what is not there.
fn lay_out(folder: &Path, identity: &Identity) -> Result<(), PkiError> {
    if identity.etcd_ca.is_some() {
        fs::create_folder(&folder.join("etcd"), Access::Private, Account::ROOT)?;
    }
    if let Some(keyring) = &identity.keyring
        && !fs::exists(&keyring_path(folder))
    {
        save_keyring(folder, keyring)?;
    }
    for (name, text, access) in identity.files() {
        let path = folder.join(name);
        if !fs::exists(&path) {
            fs::write(&path, text.as_bytes(), access, Account::ROOT)?;
        }
    }
    Ok(())
}

/// Removes what a power loss left of pairs that were being made.
fn drop_halves(folder: &Path) -> Result<(), PkiError> {
    for names in [CA, FRONT_PROXY_CA, SERVICE_ACCOUNT, ETCD_CA] {
        let there: Vec<PathBuf> =
            names.map(|name| folder.join(name)).into_iter().filter(|path| fs::exists(path)).collect();
        if let [half] = &there[..] {
            tracing::info!(file = %half.display(), "half of a pair that was never used: it is made again");
            fs::remove_file(half)?;
        }
    }
    Ok(())
}

/// Where the keys of Secrets lie among a controller's keys.
#[must_use]
pub fn keyring_path(folder: &Path) -> PathBuf {
    folder.join("keyring.json")
}

/// The keys of Secrets among a controller's keys; `None` where there are none yet.
///
/// # Errors
/// If they are unreadable.
pub fn load_keyring(folder: &Path) -> Result<Option<Keyring>, PkiError> {
    let path = keyring_path(folder);
    let Some(text) = fs::read_if_there(&path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|source| PkiError::Keyring { path, source })
}

/// Puts them there in one step.
///
/// # Errors
/// If they cannot be written; what was there stays.
pub fn save_keyring(folder: &Path, keyring: &Keyring) -> Result<(), PkiError> {
    let text = format!("{:#}\n", serde_json::json!(keyring));
    Ok(fs::write(&keyring_path(folder), text.as_bytes(), Access::Private, Account::ROOT)?)
}

fn pair(folder: &Path, names: [&str; 2]) -> Result<Option<[String; 2]>, PkiError> {
    let [first, second] = names.map(|name| folder.join(name));
    let half = |found: &Path, missing: &Path| PkiError::Half {
        found: found.display().to_string(),
        missing: missing.display().to_string(),
    };
    match (fs::read_if_there(&first)?, fs::read_if_there(&second)?) {
        (Some(a), Some(b)) => {
            whole(&first, &a)?;
            whole(&second, &b)?;
            Ok(Some([a, b]))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(half(&first, &second)),
        (None, Some(_)) => Err(half(&second, &first)),
    }
}

/// A file of keys that was cut or overwritten is named here, where its name is known.
fn whole(path: &Path, text: &str) -> Result<(), PkiError> {
    let damaged = |what| PkiError::Damaged { path: path.to_owned(), what };
    let (_, pem) = x509_parser::pem::parse_x509_pem(text.as_bytes()).map_err(|_| damaged("PEM"))?;
    let certificate = path.extension().is_some_and(|extension| extension == "crt");
    if certificate && pem.parse_x509().is_err() { Err(damaged("certificate")) } else { Ok(()) }
}
