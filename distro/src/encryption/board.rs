//! The cluster's keyring as its controllers tell each other of it: a ConfigMap with the sealed keyring and, for each controller,
//! the generation that its kube-apiserver works with. It is no Secret, so that a controller which does not have the newest key
//! can read it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sealed::{SealError, seal, unseal};
use crate::{
    api::{ApiError, CONFIG_MAPS, Client},
    config::NodeName,
    pki::Keyring,
};

const NAME: &str = "sk8s-keyring";
const SEALED: &str = "sealed";
const HAS: &str = "has.";

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The keyring that all are to work with.
    pub keyring: Keyring,
    /// Which generation each controller works with.
    pub has: BTreeMap<String, u32>,
    version: Value,
}

/// A board that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// What is sealed.
    #[error("ConfigMap kube-system/{NAME}")]
    Seal(#[from] SealError),
    /// Somebody else wrote it at the same time.
    #[error("ConfigMap kube-system/{NAME} changed meanwhile: is another `sk8s encryption rotate` at work?")]
    Raced,
}

impl Board {
    /// Reads it; `None` where no controller has made it yet. `authority` is the cluster authority's key, PEM.
    ///
    /// # Errors
    /// If the API does not answer, or what it holds is not the cluster's.
    pub fn read(client: &Client, authority: &str) -> Result<Option<Self>, BoardError> {
        client.get(&format!("{CONFIG_MAPS}/{NAME}"))?.map(|object| Ok(Self::of(&object, authority)?)).transpose()
    }

    fn of(object: &Value, authority: &str) -> Result<Self, SealError> {
        let keyring = unseal(object["data"][SEALED].as_str().ok_or(SealError::Damaged)?, authority)?;
        let entry = |(key, value): (&String, &Value)| {
            Some((key.strip_prefix(HAS)?.to_owned(), value.as_str()?.parse().unwrap_or_default()))
        };
        let has = object["data"].as_object().into_iter().flatten().filter_map(entry).collect();
        Ok(Self { keyring, has, version: object["metadata"]["resourceVersion"].clone() })
    }

    fn object(keyring: &Keyring, authority: &str) -> Result<Value, SealError> {
        Ok(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": NAME, "namespace": "kube-system" },
            "data": { SEALED: seal(keyring, authority)? },
        }))
    }

    /// Makes the first one, unless another controller did.
    ///
    /// # Errors
    /// If the API does not answer or refuses.
    pub fn make(client: &Client, keyring: &Keyring, authority: &str) -> Result<(), BoardError> {
        client.create(CONFIG_MAPS, &Self::object(keyring, authority)?)?;
        Ok(())
    }

    /// Says what all are to work with from now on. Those that are known not to come back are not waited for any more.
    ///
    /// # Errors
    /// If somebody else wrote since it was read, or the API does not answer.
    pub fn replace(
        &self,
        client: &Client,
        (keyring, authority): (&Keyring, &str),
        gone: &[String],
    ) -> Result<(), BoardError> {
        let mut object = Self::object(keyring, authority)?;
        object["metadata"]["resourceVersion"] = self.version.clone();
        for (controller, generation) in self.has.iter().filter(|(name, _)| !gone.contains(name)) {
            object["data"][format!("{HAS}{controller}")] = json!(generation.to_string());
        }
        if client.replace(&format!("{CONFIG_MAPS}/{NAME}"), &object)? { Ok(()) } else { Err(BoardError::Raced) }
    }

    /// Says what a controller works with.
    ///
    /// # Errors
    /// If the API does not answer or refuses.
    pub fn report(client: &Client, controller: &NodeName, generation: u32) -> Result<(), BoardError> {
        let data = json!({ "data": { format!("{HAS}{controller}"): generation.to_string() } });
        Ok(client.merge(&format!("{CONFIG_MAPS}/{NAME}"), &data)?)
    }

    /// The controllers that do not work with its keyring yet.
    #[must_use]
    pub fn behind(&self, gone: &[String]) -> Vec<String> {
        let behind = |(name, has): (&String, &u32)| (*has < self.keyring.generation()).then(|| name.clone());
        self.has.iter().filter_map(behind).filter(|name| !gone.contains(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Board, SealError};
    use crate::pki::Keyring;

    #[test]
    fn who_has_an_older_generation_is_behind() {
        let ring = Keyring::generate().and_then(|ring| ring.next()).expect("randomness");
        let mut object = Board::object(&ring, "key").expect("sealed");
        object["data"]["has.barn"] = json!("2");
        object["data"]["has.mill"] = json!("1");
        object["data"]["has.shed"] = json!("soon");
        let board = Board::of(&object, "key").expect("readable");
        assert_eq!(board.keyring, ring);
        assert_eq!(board.behind(&[]), ["mill", "shed"]);
        assert_eq!(board.behind(&["mill".to_owned()]), ["shed"]);
        assert_eq!(Board::of(&json!({}), "key"), Err(SealError::Damaged));
    }
}
