//! Applies objects server-side.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    document::Object,
    place::{Place, Resource},
    stack::ObjectRef,
};
use crate::api::{ApiError, Client};

/// An object that could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The API server.
    #[error("`{kind}/{name}`")]
    Api {
        /// Which object.
        kind: String,
        /// Its name.
        name: String,
        /// What went wrong.
        #[source]
        source: ApiError,
    },
    /// No such kind, perhaps not yet: its definition may be in another file.
    #[error("`{kind}/{name}`: the cluster knows no `{kind}` of `{api_version}`")]
    Kind {
        /// Which object.
        kind: String,
        /// Its name.
        name: String,
        /// Its group and version.
        api_version: String,
    },
}

/// Applies objects, and remembers what it learnt of their kinds.
#[derive(Debug)]
pub struct Applier {
    client: Client,
    kinds: BTreeMap<(String, String), Resource>,
}

impl Applier {
    /// An applier that knows no kinds yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, kinds: BTreeMap::new() }
    }

    /// An object as the cluster has it, or `None`.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub fn get(&mut self, object: &ObjectRef) -> Result<Option<Value>, ApplyError> {
        match self.path(object) {
            Ok(path) => self.client.get(&path).map_err(|source| failed(object, source)),
            Err(ApplyError::Kind { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes an object; whether there was one. One of a kind that the cluster no longer knows is gone with its kind.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub fn remove(&mut self, object: &ObjectRef) -> Result<bool, ApplyError> {
        match self.path(object) {
            Ok(path) => self.client.delete(&path).map_err(|source| failed(object, source)),
            Err(ApplyError::Kind { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the cluster hold an object as it is written.
    ///
    /// # Errors
    /// If its kind is unknown, the server refuses it or cannot be reached.
    pub fn apply(&mut self, object: &Object) -> Result<(), ApplyError> {
        let named = ObjectRef::from(object);
        let path = self.path(&named)?;
        self.client.apply(&path, &object.value).map_err(|source| failed(&named, source))
    }

    /// Where an object is, or would be; `None` if the cluster knows no such kind.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub fn place(&mut self, object: &ObjectRef) -> Result<Option<Place>, ApplyError> {
        match self.resource(object) {
            Ok(resource) => Ok(Some(Place::of(object, resource))),
            Err(ApplyError::Kind { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn path(&mut self, object: &ObjectRef) -> Result<String, ApplyError> {
        self.resource(object).map(|resource| object_path(object, resource))
    }

    fn resource(&mut self, object: &ObjectRef) -> Result<&Resource, ApplyError> {
        let key = (object.api_version.clone(), object.kind.clone());
        if !self.kinds.contains_key(&key) {
            let list = self.client.get(&group_path(&object.api_version)).map_err(|source| failed(object, source))?;
            let resource = list.as_ref().and_then(|list| find(list, &object.kind)).ok_or_else(|| ApplyError::Kind {
                kind: object.kind.clone(),
                name: object.name.clone(),
                api_version: object.api_version.clone(),
            })?;
            self.kinds.insert(key.clone(), resource);
        }
        Ok(&self.kinds[&key])
    }
}

fn failed(object: &ObjectRef, source: ApiError) -> ApplyError {
    ApplyError::Api { kind: object.kind.clone(), name: object.name.clone(), source }
}

fn group_path(api_version: &str) -> String {
    if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") }
}

fn find(list: &Value, kind: &str) -> Option<Resource> {
    list["resources"].as_array()?.iter().find_map(|resource| {
        let plural = resource["name"].as_str()?;
        let fits = resource["kind"] == kind && !plural.contains('/');
        fits.then(|| Resource { plural: plural.to_owned(), namespaced: resource["namespaced"] == true })
    })
}

fn object_path(object: &ObjectRef, resource: &Resource) -> String {
    let group = group_path(&object.api_version);
    let Resource { plural, namespaced } = resource;
    if *namespaced {
        format!("{group}/namespaces/{}/{plural}/{}", object.namespace_or_default(), object.name)
    } else {
        format!("{group}/{plural}/{}", object.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Resource, find, object_path};
    use crate::manifests::objects;

    #[test]
    fn a_kind_is_found_and_not_its_subresource() {
        let list = json!({"resources": [
            {"name": "deployments/scale", "kind": "Deployment", "namespaced": true},
            {"name": "deployments", "kind": "Deployment", "namespaced": true}]});
        let found = Resource { plural: "deployments".into(), namespaced: true };
        assert_eq!(find(&list, "Deployment"), Some(found));
        assert_eq!(find(&list, "Pod"), None);
    }

    #[test]
    fn a_namespaced_object_without_a_namespace_is_in_the_default_one() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";
        let object = objects(text).expect("valid").remove(0);
        let resource = Resource { plural: "deployments".into(), namespaced: true };
        assert_eq!(object_path(&(&object).into(), &resource), "/apis/apps/v1/namespaces/default/deployments/web");
    }
}
