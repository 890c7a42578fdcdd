//! The keys that Secrets are encrypted with where they are stored, and how one takes the place of another. Pure but for
//! randomness.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the system has no randomness to make a key of")]
pub struct NoRandomness;

/// The keys of a cluster: the first encrypts, all decrypt. Never empty. Each change of it has a generation of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Plain", into = "Plain")]
pub struct Keyring {
    generation: u32,
    first: Key,
    others: Vec<Key>,
}

/// A key of XSalsa20-Poly1305, which has room for as many random nonces as a cluster will ever need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Counts the cluster's keys, from 1.
    pub number: u32,
    /// 32 bytes, base64.
    secret: String,
}

/// How far a new key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// There is one key.
    Settled,
    /// Every controller learns to decrypt with the newest; none encrypts with it yet.
    Spreading,
    /// The newest encrypts; what older ones encrypted is still about.
    Rewriting,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    generation: u32,
    keys: Vec<Key>,
}

impl From<Keyring> for Plain {
    fn from(ring: Keyring) -> Self {
        Self { generation: ring.generation, keys: std::iter::once(ring.first).chain(ring.others).collect() }
    }
}

impl TryFrom<Plain> for Keyring {
    type Error = &'static str;

    fn try_from(plain: Plain) -> Result<Self, &'static str> {
        let mut keys = plain.keys.into_iter();
        let first = keys.next().ok_or("a keyring without keys")?;
        Ok(Self { generation: plain.generation, first, others: keys.collect() })
    }
}

impl Key {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(number: u32) -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        let source = rustls::crypto::ring::default_provider().secure_random;
        source.fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self { number, secret: STANDARD.encode(bytes) })
    }
}

impl Keyring {
    /// A new cluster's.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate() -> Result<Self, NoRandomness> {
        Ok(Self { generation: 1, first: Key::generate(1)?, others: Vec::new() })
    }

    /// Counts its changes.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The numbers of its keys, that of the one that encrypts first.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(&self.first).chain(&self.others).map(|key| key.number)
    }

    /// The number of the key that was made last.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.others.iter().fold(self.first.number, |newest, key| newest.max(key.number))
    }

    /// How far its newest key has come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match (self.others.is_empty(), self.first.number == self.newest()) {
            (true, _) => Stage::Settled,
            (false, false) => Stage::Spreading,
            (false, true) => Stage::Rewriting,
        }
    }

    /// What comes after it, once every controller works with it and, where it is being rewritten, everything is.
    ///
    /// # Errors
    /// If a key is to be made, and the system has no randomness to give.
    pub fn next(&self) -> Result<Self, NoRandomness> {
        let (first, others) = match self.stage() {
            Stage::Settled => (self.first.clone(), vec![Key::generate(self.newest() + 1)?]),
            Stage::Spreading => {
                let (mut newest, mut others): (Vec<_>, Vec<_>) =
                    std::iter::once(&self.first).chain(&self.others).cloned().partition(|k| k.number == self.newest());
                let first = newest.pop().unwrap_or_else(|| self.first.clone());
                others.extend(newest);
                (first, others)
            }
            Stage::Rewriting => (self.first.clone(), Vec::new()),
        };
        Ok(Self { generation: self.generation + 1, first, others })
    }

    /// The same with the keys of a later one that it does not have, which decrypt.
    #[must_use]
    pub fn with(mut self, later: &Self) -> Self {
        let known: Vec<u32> = self.numbers().collect();
        let new = std::iter::once(&later.first).chain(&later.others).filter(|key| !known.contains(&key.number));
        self.others.extend(new.cloned());
        self
    }

    /// kube-apiserver's file (`apiserver.config.k8s.io/v1`, `EncryptionConfiguration`). What was written before there were keys
    /// is read as it is.
    #[must_use]
    pub fn configuration(&self) -> String {
        let key = |key: &Key| json!({ "name": format!("key{}", key.number), "secret": key.secret });
        let keys: Vec<_> = std::iter::once(&self.first).chain(&self.others).map(key).collect();
        let file = json!({
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{
                "resources": ["secrets"],
                "providers": [{ "secretbox": { "keys": keys } }, { "identity": {} }],
            }],
        });
        format!("{file:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Keyring, Stage};

    fn after(steps: usize) -> Keyring {
        (0..steps).fold(Keyring::generate().expect("randomness"), |ring, _| ring.next().expect("randomness"))
    }

    fn read(ring: &Keyring) -> Vec<u32> {
        ring.numbers().collect()
    }

    #[test]
    fn a_key_is_known_before_it_is_used_and_used_before_the_old_one_goes() {
        let steps: Vec<_> = (0..5).map(|steps| (after(steps).stage(), read(&after(steps)))).collect();
        let wanted = [
            (Stage::Settled, vec![1]),
            (Stage::Spreading, vec![1, 2]),
            (Stage::Rewriting, vec![2, 1]),
            (Stage::Settled, vec![2]),
            (Stage::Spreading, vec![2, 3]),
        ];
        assert_eq!(steps, wanted);
    }

    #[test]
    fn a_ring_without_keys_is_none() {
        let error = serde_json::from_str::<Keyring>(r#"{"generation": 1, "keys": []}"#).expect_err("no keys");
        assert!(error.to_string().contains("without keys"), "{error}");
    }

    #[test]
    fn the_file_names_the_key_that_encrypts_first_and_reads_what_is_not_encrypted() {
        let file: serde_json::Value = serde_json::from_str(&after(2).configuration()).expect("JSON");
        let providers = &file["resources"][0]["providers"];
        assert_eq!(providers[0]["secretbox"]["keys"][0]["name"], "key2");
        assert_eq!(providers[0]["secretbox"]["keys"][1]["name"], "key1");
        assert!(providers[1]["identity"].is_object());
    }

    proptest! {
        #[test]
        fn two_controllers_a_step_apart_read_each_other(steps in 0_usize..20) {
            let (now, then) = (after(steps), after(steps));
            let next = now.next().expect("randomness");
            prop_assert_eq!(read(&now), read(&then));
            prop_assert!(read(&next).contains(&read(&now)[0]), "the later reads what the earlier writes");
            // What the later writes, the earlier reads.
            prop_assert!(read(&now).contains(&read(&next)[0]));
            prop_assert_eq!(next.generation(), now.generation() + 1);
        }

        /// Objects that were copied between two looks at the keys are readable with those of both, a step before and after too.
        #[test]
        fn with_the_keys_of_before_and_after_all_between_is_read(steps in 0_usize..12, more in 0_usize..6) {
            let rings: Vec<Keyring> = std::iter::successors(Some(Keyring::generate().expect("randomness")), |ring| ring.next().ok())
                .take(steps + more + 2)
                .collect();
            let kept = rings[steps].clone().with(&rings[steps + more]);
            prop_assert_eq!((kept.generation(), read(&kept)[0]), (rings[steps].generation(), read(&rings[steps])[0]));
            for between in &rings[steps..=steps + more] {
                prop_assert!(read(between).iter().all(|number| read(&kept).contains(number)), "{:?} {:?}", between, kept);
            }
            let mut numbers = read(&kept);
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), read(&kept).len(), "kube-apiserver takes a name once");
        }

        #[test]
        fn it_survives_its_text(steps in 0_usize..8) {
            let ring = after(steps);
            let text = serde_json::to_string(&ring).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Keyring>(&text).expect("its own text"), ring);
        }
    }
}
