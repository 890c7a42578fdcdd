//! What a datastore's component finds when it starts.

use crate::{
    component::{ComponentId, account},
    config::{DataSource, Settings, Storage},
    paths::Paths,
    pki::{LeafId, Shared},
    sys::{
        fs::{self, Access, FsError},
        machine::Machine,
    },
};

/// The component that keeps the objects, where we run it.
#[must_use]
pub const fn component(storage: &Storage) -> Option<ComponentId> {
    match storage {
        Storage::Kine { .. } => Some(ComponentId::Kine),
        Storage::Etcd(_) => Some(ComponentId::Etcd),
        Storage::External(_) => None,
    }
}

/// Makes the folder that a datastore of this node lies in, for its component alone.
///
/// # Errors
/// If it cannot be made or given away.
pub fn folder(settings: &Settings, paths: &Paths, machine: &Machine) -> Result<(), FsError> {
    let (folder, component) = match &settings.storage {
        Storage::Kine { source: DataSource::Sqlite } => (paths.data.join("db"), ComponentId::Kine),
        Storage::Etcd(_) => (paths.etcd(), ComponentId::Etcd),
        Storage::Kine { .. } | Storage::External(_) => return Ok(()),
    };
    let owner = account(settings, machine, component);
    fs::create_folder(&folder, Access::Private, owner)?;
    fs::give(&folder, owner)
}

/// Copies the files that prove us to an etcd of somebody else's to where kube-apiserver may read them, if they changed: it
/// reads them again with every connection.
///
/// # Errors
/// If one cannot be read or written.
pub fn copy_proof(settings: &Settings, paths: &Paths, machine: &Machine) -> Result<(), FsError> {
    let Storage::External(cluster) = &settings.storage else { return Ok(()) };
    let Some(files) = &cluster.tls else { return Ok(()) };
    let leaf = LeafId::ApiServerEtcdClient;
    let authority = paths.of(ComponentId::KubeApiserver).join(Shared::EtcdCa.file());
    let owner = account(settings, machine, ComponentId::KubeApiserver);
    // The key first: a certificate without its key is of no use, and one beside an older key does harm.
    let copies = [(&files.key, leaf.key(paths)), (&files.certificate, leaf.certificate(paths)), (&files.ca, authority)];
    for (from, to) in copies {
        let text = fs::read_to_string(from)?;
        if fs::read_if_there(&to)?.as_deref() != Some(&text) {
            fs::write(&to, text.as_bytes(), Access::Private, owner)?;
        }
    }
    Ok(())
}
