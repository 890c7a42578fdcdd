//! What a node is by what lies in its data folder: whether it joins still, and its settings for whoever asks beside it.

use super::{
    appoint,
    standing::{self, EnrolError},
};
use crate::{
    config::{NodeName, Raw, Settings},
    datastore,
    duty::Duty,
    join::{self, Has, Membership, Own, Start},
    paths::Paths,
    sys::fs,
};

/// Whether a node's start needs a join token that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// It joins with it, or asks with it whether there is a cluster.
    Ahead,
    /// It has joined, or made the cluster: that lies on its disk.
    Done,
}

impl Joining {
    /// By what lies there.
    #[must_use]
    pub fn of(duty: Duty, settings: &Settings, paths: &Paths) -> Self {
        let done = if duty.controls() {
            matches!(join::start(own(settings, paths, Has::Yes)), Start::Joined | Start::Makes)
        } else {
            fs::exists(&paths.membership())
        };
        if done { Self::Done } else { Self::Ahead }
    }
}

/// What a controller finds of its own.
pub(super) fn own(settings: &Settings, paths: &Paths, token: Has) -> Own {
    Own {
        appointment: fs::exists(&paths.appointment()).into(),
        objects: datastore::begun(&settings.storage, paths).into(),
        keys: fs::exists(&paths.pki().join("ca.crt")).into(),
        heard: fs::exists(&paths.heard()).into(),
        token,
    }
}

/// What a node of that name is whose owner has written this: with the cluster's words where it has joined one, as its start has
/// it. With a controller that has joined comes what it goes by, its owner's words over the cluster's.
///
/// # Errors
/// If what it keeps of the cluster is unreadable, or contradicts its owner, or the whole asks for what cannot be.
pub fn effective(paths: &Paths, raw: &Raw, name: &NodeName) -> Result<(Settings, Option<Raw>), EnrolError> {
    if let Some(kept) = appoint::load(paths)? {
        let (whole, settings) = appoint::agreed(raw, name, &kept.config)?;
        return Ok((settings, Some(whole)));
    }
    let is_owner = fs::exists(&paths.pki().join("ca.crt"));
    let member = if is_owner { None } else { Membership::load(&paths.membership())? };
    let settings = match member {
        Some(member) => standing::shared(&member, raw)?,
        None => Settings::validate(raw, name.as_str())?,
    };
    Ok((settings, None))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        join::Appointment,
        pki::{Identity, UnixTime},
        sys::{fs::Access, machine},
    };

    fn settings(text: &str) -> (Raw, Settings) {
        let raw = Raw::parse(text).expect("a configuration");
        let settings = Settings::validate(&raw, "host").expect("valid");
        (raw, settings)
    }

    fn paths(folder: &Path) -> Paths {
        Paths { data: folder.to_owned(), ..Paths::default() }
    }

    fn put(path: &Path, text: &str) {
        let folder = path.parent().expect("a folder");
        fs::create_folder(folder, Access::Private, machine::account()).expect("made");
        fs::write(path, text.as_bytes(), Access::Private, machine::account()).expect("written");
    }

    fn appointed(paths: &Paths, config: &str) {
        let name = "home".parse().expect("a name");
        let identity = Identity::generate(&name, UnixTime(1_795_244_000)).expect("keys");
        let kept = Appointment { identity, config: config.to_owned(), peers: Vec::new() };
        put(&paths.appointment(), &serde_json::to_string(&kept).expect("JSON"));
    }

    fn member(paths: &Paths, config: &str) {
        let three = serde_json::json!({"node": "", "server": "", "proxy": ""});
        let admission = serde_json::json!({
            "authority": "", "certificates": three, "lifetime": 1, "config": config, "servers": [],
        });
        let kept = serde_json::json!({"node": "barn", "keys": three, "admission": admission});
        put(&paths.membership(), &kept.to_string());
    }

    #[test]
    fn a_worker_needs_a_token_until_it_is_a_member() {
        let folder = tempfile::tempdir().expect("a folder");
        let (paths, (_, settings)) = (paths(folder.path()), settings(""));
        put(&paths.pki().join("ca.crt"), "what a controller left");
        assert_eq!(Joining::of(Duty::Worker, &settings, &paths), Joining::Ahead);
        member(&paths, "");
        assert_eq!(Joining::of(Duty::Worker, &settings, &paths), Joining::Done);
        assert_eq!(Joining::of(Duty::Controller, &settings, &paths), Joining::Ahead, "it was a worker");
    }

    #[test]
    fn a_controller_needs_a_token_until_it_has_joined_or_made_the_cluster() {
        let folder = tempfile::tempdir().expect("a folder");
        let (paths, (_, settings)) = (paths(folder.path()), settings(""));
        let joining = || Joining::of(Duty::ControllerWorker, &settings, &paths);
        assert_eq!(joining(), Joining::Ahead);
        put(&paths.pki().join("ca.crt"), "keys");
        assert_eq!(joining(), Joining::Ahead, "with keys alone it asks by its token whether there is a cluster");
        put(&paths.sqlite(), "objects");
        assert_eq!(joining(), Joining::Done);
        let folder = tempfile::tempdir().expect("a folder");
        let paths = self::paths(folder.path());
        appointed(&paths, "");
        assert_eq!(Joining::of(Duty::Controller, &settings, &paths), Joining::Done);
    }

    #[test]
    fn a_controller_that_joined_is_what_the_cluster_says_but_for_its_owners_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = paths(folder.path());
        appointed(
            &paths,
            "metadata: {name: home}\nspec: {storage: {type: etcd}, api: {externalAddress: home.example}}",
        );
        let (raw, own) = settings("spec: {node: {name: mill}, api: {externalAddress: mill.example}}");
        let (node, whole) = effective(&paths, &raw, &own.node).expect("agreed");
        let text = whole.expect("it has joined").to_yaml().expect("YAML");
        assert_eq!(
            text,
            "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\nmetadata:\n  name: home\nspec:\n  api:\n    externalAddress: \
             mill.example\n  storage:\n    type: etcd\n  node:\n    name: mill\n"
        );
        assert!(matches!(node.storage, crate::config::Storage::Etcd(_)));
        assert_eq!((node.cluster.as_str(), node.node.as_str()), ("home", "mill"));
        assert_eq!(node.api.external.map(|host| host.to_string()).as_deref(), Some("mill.example"));
        let (raw, own) = settings("metadata: {name: other}");
        let error = effective(&paths, &raw, &own.node).expect_err("another name").to_string();
        assert_eq!(error, "`metadata.name` is not what it is on the cluster's other controllers");
    }

    #[test]
    fn a_worker_has_the_clusters_images() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = paths(folder.path());
        let (raw, own) = settings("spec: {network: {podCIDR: 10.1.0.0/16}}");
        assert_eq!(effective(&paths, &raw, &own.node).expect("new").0, own, "it has joined nothing");
        member(&paths, "spec: {images: {repository: shop.example/mirror}, network: {podCIDR: 10.9.0.0/16}}");
        let (node, _) = effective(&paths, &raw, &own.node).expect("a member");
        assert_eq!(node.pods.to_string(), "10.9.0.0/16");
        assert_ne!(node.images, own.images);
        put(&paths.pki().join("ca.crt"), "keys");
        assert_eq!(
            effective(&paths, &raw, &own.node).expect("a controller"),
            (own, None),
            "it makes its own cluster now"
        );
    }
}
