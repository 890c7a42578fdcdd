//! Where images come from: `spec.images`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::raw::absent;

/// Images, as their owner wants them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The registry, with or without a path in it, that stands for the built-in images' own.
    pub repository: Option<String>,
    /// When images of ours are fetched again.
    pub pull_policy: PullPolicy,
    /// Other images than the built-in ones, by name: `pause`, `coredns`.
    pub others: BTreeMap<&'static str, OtherImage>,
}

/// When an image is fetched, in Kubernetes' words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// `IfNotPresent`.
    #[default]
    IfNotPresent,
    /// `Always`.
    Always,
    /// `Never`.
    Never,
}

/// An image other than the built-in one: each part that is `None` is the built-in one's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherImage {
    /// The name, as in `registry.example/team/pause`.
    pub image: Option<String>,
    /// The tag, or the tag with a digest.
    pub version: Option<String>,
}

/// `spec.images` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawImages {
    /// The registry that stands for the built-in images' own.
    pub repository: Option<String>,
    /// `IfNotPresent`, `Always` or `Never`.
    pub default_pull_policy: Option<String>,
    /// What holds a pod's namespaces.
    #[serde(default, deserialize_with = "absent")]
    pub pause: RawImage,
    /// The cluster's DNS server.
    #[serde(default, deserialize_with = "absent")]
    pub coredns: RawImage,
}

/// One image of `spec.images` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawImage {
    /// Name without tag.
    pub image: Option<String>,
    /// Tag.
    pub version: Option<String>,
}

/// Images that cannot be. Display begins with the key below `spec.images`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadImages {
    /// No registry.
    #[error("repository: not a registry: `{0}`; wanted: as in `registry.example:5000/mirror`")]
    Repository(String),
    /// No policy.
    #[error("default_pull_policy: unknown: `{0}`; known: `IfNotPresent`, `Always`, `Never`")]
    Policy(String),
    /// No image's name.
    #[error("{key}.image: not the name of an image without its tag: `{image}`; wanted: as in `registry.example/pause`")]
    Image {
        /// Which image.
        key: &'static str,
        /// What was written.
        image: String,
    },
    /// No tag.
    #[error("{key}.version: not a tag: `{version}`; wanted: as in `3.10` or `3.10@sha256:…`")]
    Version {
        /// Which image.
        key: &'static str,
        /// What was written.
        version: String,
    },
}

impl PullPolicy {
    /// Its word in Kubernetes' objects.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

impl Images {
    /// Checks `spec.images`.
    ///
    /// # Errors
    /// Every value that cannot be.
    pub fn validate(raw: &RawImages) -> Result<Self, Vec<BadImages>> {
        let mut problems = Vec::new();
        let repository = raw.repository.clone().filter(|text| !text.is_empty());
        problems.extend(repository.iter().filter(|text| !is_name(text)).cloned().map(BadImages::Repository));
        let policies = [PullPolicy::IfNotPresent, PullPolicy::Always, PullPolicy::Never];
        let word = raw.default_pull_policy.as_deref().unwrap_or("IfNotPresent");
        let pull_policy = policies.into_iter().find(|policy| policy.as_str() == word).unwrap_or_else(|| {
            problems.push(BadImages::Policy(word.to_owned()));
            PullPolicy::default()
        });
        let mut others = BTreeMap::new();
        for (key, raw) in [("pause", &raw.pause), ("coredns", &raw.coredns)] {
            let bad = raw.image.iter().filter(|text| !is_name(text)).cloned();
            problems.extend(bad.map(|image| BadImages::Image { key, image }));
            let bad = raw.version.iter().filter(|text| !is_version(text)).cloned();
            problems.extend(bad.map(|version| BadImages::Version { key, version }));
            if *raw != RawImage::default() {
                others.insert(key, OtherImage { image: raw.image.clone(), version: raw.version.clone() });
            }
        }
        if problems.is_empty() { Ok(Self { repository, pull_policy, others }) } else { Err(problems) }
    }

    /// The images to use, from the built-in ones: each by its name, a reference.
    #[must_use]
    pub fn over(&self, builtin: BTreeMap<String, String>) -> BTreeMap<String, String> {
        builtin.into_iter().map(|(name, reference)| (name.clone(), self.reference(&name, &reference))).collect()
    }

    fn reference(&self, name: &str, builtin: &str) -> String {
        let (own, tag) = builtin.rsplit_once(':').unwrap_or((builtin, "latest"));
        let other = self.others.get(name);
        let image = other.and_then(|other| other.image.as_deref()).unwrap_or(own);
        let version = other.and_then(|other| other.version.as_deref()).unwrap_or(tag);
        match &self.repository {
            Some(repository) => format!("{repository}/{}:{version}", path(image)),
            None => format!("{image}:{version}"),
        }
    }
}

/// An image's name without its registry. The first part is one if it could be a host (the rule that all clients share).
fn path(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => image,
    }
}

fn is_name(text: &str) -> bool {
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    let (host, port) = first.split_once(':').unwrap_or((first, "1"));
    let part = |part: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(plain) && part.ends_with(plain) && part.chars().all(|c| plain(c) || "-._".contains(c))
    };
    text.len() <= 255
        && part(host)
        && port.parse::<u16>().is_ok_and(|port| port != 0)
        && (first.len() == text.len() || rest.split('/').all(part))
}

fn is_version(text: &str) -> bool {
    let (tag, digest) = text.split_once('@').unwrap_or((text, ""));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let whole = text.len() == tag.len() || (hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()));
    (1..=128).contains(&tag.len()) && tag.starts_with(word) && tag.chars().all(|c| word(c) || ".-".contains(c)) && whole
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{BadImages, Images};

    fn images(yaml: &str) -> Result<Images, Vec<BadImages>> {
        Images::validate(&serde_yaml_ng::from_str(yaml).expect("well-formed"))
    }

    fn used(yaml: &str) -> Vec<String> {
        let builtin = [("coredns", "localhost/sk8s/coredns:1.15"), ("pause", "localhost/sk8s/pause:3.10")];
        let builtin: BTreeMap<_, _> = builtin.map(|(name, image)| (name.to_owned(), image.to_owned())).into();
        images(yaml).expect("valid").over(builtin).into_values().collect()
    }

    #[test]
    fn the_built_in_images_are_used_unless_others_are_named() {
        assert_eq!(used("{}"), ["localhost/sk8s/coredns:1.15", "localhost/sk8s/pause:3.10"]);
        let text = "{coredns: {image: registry.example/dns, version: '2'}, pause: {version: '4'}}";
        assert_eq!(used(text), ["registry.example/dns:2", "localhost/sk8s/pause:4"]);
    }

    #[test]
    fn a_repository_stands_for_the_registry_of_every_image() {
        let text =
            "{repository: 'mirror.example:5000/k', coredns: {image: docker.io/team/dns}, pause: {image: team/pause}}";
        assert_eq!(used(text), ["mirror.example:5000/k/team/dns:1.15", "mirror.example:5000/k/team/pause:3.10"]);
    }

    #[test]
    fn every_problem_is_told() {
        let text = "{repository: 'https://x', default_pull_policy: Sometimes, pause: {image: 'a:1', version: '-'}}";
        let bad: Vec<String> = images(text).expect_err("refused").iter().map(ToString::to_string).collect();
        assert_eq!(bad.len(), 3, "{bad:?}");
        assert!(bad[0].starts_with("repository: not a registry: `https://x`"));
        assert!(bad[1].starts_with("default_pull_policy: unknown: `Sometimes`"));
        assert!(bad[2].starts_with("pause.version: not a tag: `-`"));
        let digest = "a".repeat(64);
        assert!(images(&format!("{{pause: {{version: '3@sha256:{digest}'}}}}")).is_ok());
    }
}
