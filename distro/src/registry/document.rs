//! The JSON documents of an image, OCI's and Docker's (image-spec: manifest.md, image-index.md, config.md).

use serde::Deserialize;
use skerry_formats::{arch::Arch, digest::Digest};

/// No document is longer: what the specification asks registries to take.
pub(super) const LONGEST: u64 = 4 << 20;
/// No blob is longer: what the header of a tar archive can say.
pub(super) const LARGEST: u64 = (1 << 33) - 1;
/// No image has more layers.
const MOST: usize = 1000;

/// What a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Images for several platforms.
    Index,
    /// One image.
    Manifest,
}

impl Kind {
    /// Media types of documents, in the order of liking.
    pub(super) const TYPES: [(&str, Self); 4] = [
        ("application/vnd.oci.image.index.v1+json", Self::Index),
        ("application/vnd.docker.distribution.manifest.list.v2+json", Self::Index),
        ("application/vnd.oci.image.manifest.v1+json", Self::Manifest),
        ("application/vnd.docker.distribution.manifest.v2+json", Self::Manifest),
    ];
}

/// A blob, by what a document that is believed says of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blob {
    /// Digest of its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

/// A document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadDocument {
    /// It is no such JSON.
    #[error("the registry's answer is no image")]
    Json(#[source] serde_json::Error),
    /// A kind of document that no image is today.
    #[error("neither an image nor an index of images: `{0}`")]
    Kind(String),
    /// A digest of another kind than SHA-256, or none.
    #[error("not a digest that is known here: `{0}`; known: `sha256:…`")]
    Digest(String),
    /// A size that no blob has.
    #[error("a blob of {0} bytes; the most is {LARGEST}")]
    Size(i128),
    /// More layers than an image has.
    #[error("{0} layers; the most is {MOST}")]
    Layers(usize),
    /// There is no image for the platform.
    #[error("there is none for linux/{wanted}, only for: {}", .there.join(", "))]
    Platform {
        /// What was asked for.
        wanted: Arch,
        /// What there is.
        there: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    size: i128,
    platform: Option<Platform>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Platform {
    architecture: String,
    os: String,
    variant: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

/// A document that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The one of several images that fits.
    Index(Blob),
    /// An image: its type, its configuration, its layers from the lowest up.
    Manifest(&'static str, Blob, Vec<Blob>),
}

/// Reads an index or a manifest. `said` is the type that the registry gave; the document's own counts more.
pub(super) fn parse(text: &[u8], said: &str, arch: Arch) -> Result<Parsed, BadDocument> {
    let raw: Raw = serde_json::from_slice(text).map_err(BadDocument::Json)?;
    let said = said.split(';').next().unwrap_or_default().trim();
    let word = raw.media_type.as_deref().unwrap_or(said);
    let known = Kind::TYPES.into_iter().find(|(name, _)| *name == word);
    let (name, kind) = known.ok_or_else(|| BadDocument::Kind(word.chars().take(100).collect()))?;
    match (kind, raw.manifests, raw.config, raw.layers) {
        (Kind::Index, Some(all), ..) => chosen(&all, arch).map(Parsed::Index),
        (Kind::Manifest, _, Some(config), Some(layers)) => {
            if layers.len() > MOST {
                return Err(BadDocument::Layers(layers.len()));
            }
            let layers = layers.iter().map(blob).collect::<Result<_, _>>()?;
            Ok(Parsed::Manifest(name, blob(&config)?, layers))
        }
        _ => Err(BadDocument::Kind(name.to_owned())),
    }
}

/// Checks that a configuration is of an image for a platform.
pub(super) fn check_config(text: &[u8], arch: Arch) -> Result<(), BadDocument> {
    let platform: Platform = serde_json::from_slice(text).map_err(BadDocument::Json)?;
    if fits(&platform, arch) {
        return Ok(());
    }
    Err(BadDocument::Platform { wanted: arch, there: vec![name(&platform)] })
}

fn chosen(all: &[Descriptor], arch: Arch) -> Result<Blob, BadDocument> {
    let found = all.iter().find(|descriptor| descriptor.platform.as_ref().is_some_and(|p| fits(p, arch)));
    // Attestations are of no platform, and of no interest.
    let there = || {
        let real = all.iter().filter_map(|descriptor| descriptor.platform.as_ref()).filter(|p| p.os != "unknown");
        real.map(name).take(20).collect()
    };
    found.map_or_else(|| Err(BadDocument::Platform { wanted: arch, there: there() }), blob)
}

/// What every processor of the architecture runs.
fn fits(platform: &Platform, arch: Arch) -> bool {
    let least = match arch {
        Arch::Amd64 => "v1",
        Arch::Arm64 => "v8",
    };
    platform.os == "linux"
        && platform.architecture == arch.debian()
        && (platform.variant.is_empty() || platform.variant == least)
}

fn name(platform: &Platform) -> String {
    let Platform { architecture, os, variant } = platform;
    if variant.is_empty() { format!("{os}/{architecture}") } else { format!("{os}/{architecture}/{variant}") }
}

fn blob(descriptor: &Descriptor) -> Result<Blob, BadDocument> {
    let hex = descriptor.digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
    let digest = hex.ok_or_else(|| BadDocument::Digest(descriptor.digest.chars().take(100).collect()))?;
    let size = u64::try_from(descriptor.size).ok().filter(|size| *size <= LARGEST);
    Ok(Blob { digest, size: size.ok_or(BadDocument::Size(descriptor.size))? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use skerry_formats::{arch::Arch, digest::Digest};

    use super::{BadDocument, Blob, Kind, Parsed, check_config, parse};

    const INDEX: &str = Kind::TYPES[0].0;
    const MANIFEST: &str = Kind::TYPES[2].0;

    fn descriptor(content: &str) -> Value {
        json!({"digest": format!("sha256:{}", Digest::of(content.as_bytes())), "size": content.len()})
    }

    fn of(content: &str) -> Blob {
        Blob { digest: Digest::of(content.as_bytes()), size: content.len() as u64 }
    }

    fn with(content: &str, os: &str, arch: &str, variant: &str) -> Value {
        let mut value = descriptor(content);
        value["platform"] = json!({"os": os, "architecture": arch, "variant": variant});
        value
    }

    fn read(value: &Value, arch: Arch) -> Result<Parsed, BadDocument> {
        parse(value.to_string().as_bytes(), "", arch)
    }

    #[test]
    fn the_image_that_every_processor_runs_is_chosen() {
        let index = json!({"mediaType": INDEX, "manifests": [
            with("w", "windows", "amd64", ""), with("3", "linux", "amd64", "v3"), with("a", "linux", "amd64", ""),
            with("b", "linux", "arm64", "v8"), with("?", "unknown", "unknown", "")]});
        assert_eq!(read(&index, Arch::Amd64).expect("chosen"), Parsed::Index(of("a")));
        assert_eq!(read(&index, Arch::Arm64).expect("chosen"), Parsed::Index(of("b")));
        let other = json!({"mediaType": INDEX, "manifests": [
            with("c", "linux", "s390x", ""), with("?", "unknown", "unknown", "")]});
        let refused = read(&other, Arch::Arm64).expect_err("refused");
        assert_eq!(refused.to_string(), "there is none for linux/arm64, only for: linux/s390x");
    }

    #[test]
    fn a_manifest_names_its_configuration_and_layers() {
        let manifest = json!({"config": descriptor("c"), "layers": [descriptor("one"), descriptor("two")]});
        let text = manifest.to_string();
        let parsed = parse(text.as_bytes(), &format!("{MANIFEST}; charset=utf-8"), Arch::Amd64).expect("a manifest");
        assert_eq!(parsed, Parsed::Manifest(MANIFEST, of("c"), vec![of("one"), of("two")]));
        let former = parse(text.as_bytes(), "application/vnd.docker.distribution.manifest.v1+json", Arch::Amd64);
        assert!(matches!(former, Err(BadDocument::Kind(_))));
    }

    #[test]
    fn what_no_blob_can_be_is_refused() {
        let mut manifest = json!({"mediaType": MANIFEST, "config": descriptor("c"), "layers": []});
        for size in [json!(-1), json!(1_u64 << 33), json!(u64::MAX)] {
            manifest["config"]["size"] = size;
            assert!(matches!(read(&manifest, Arch::Amd64), Err(BadDocument::Size(_))));
        }
        manifest["config"]["digest"] = json!("sha512:00");
        assert!(matches!(read(&manifest, Arch::Amd64), Err(BadDocument::Digest(_))));
        manifest["config"] = descriptor("c");
        manifest["layers"] = vec![descriptor("l"); 1001].into();
        assert!(matches!(read(&manifest, Arch::Amd64), Err(BadDocument::Layers(1001))));
    }

    #[test]
    fn a_single_image_must_be_for_the_platform() {
        let config = br#"{"architecture":"arm64","os":"linux","rootfs":{}}"#;
        assert!(check_config(config, Arch::Arm64).is_ok());
        assert!(matches!(check_config(config, Arch::Amd64), Err(BadDocument::Platform { .. })));
        assert!(check_config(b"{}", Arch::Amd64).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_document_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, MANIFEST, Arch::Amd64);
            let _ = check_config(&bytes, Arch::Amd64);
        }
    }
}
