//! The JSON documents of an image, with their keys in the order of the specification.

use std::collections::BTreeMap;

use serde::Serialize;
use skerry_formats::digest::Digest;

use super::{Image, layer::Layer};

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// Points to a blob.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    media_type: &'static str,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
pub(super) struct Platform {
    architecture: &'static str,
    os: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: [Descriptor; 1],
}

#[derive(Serialize)]
pub(super) struct Config<'a> {
    architecture: &'static str,
    os: &'static str,
    config: Process<'a>,
    rootfs: RootFs,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    env: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cmd: &'a [String],
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [String; 1],
}

impl Descriptor {
    pub(super) fn new(media_type: &'static str, digest: &Digest, size: u64) -> Self {
        let digest = format!("sha256:{digest}");
        Self { media_type, digest, size, platform: None, annotations: BTreeMap::new() }
    }
}

impl Manifest {
    pub(super) fn new(config: Descriptor, layer: Descriptor) -> Self {
        Self { schema_version: 2, media_type: MANIFEST, config, layers: [layer] }
    }
}

impl Index {
    /// An index of one image under its full name, which containerd takes from its own annotation.
    pub(super) fn new(image: &Image, mut manifest: Descriptor) -> Self {
        manifest.platform = Some(Platform { architecture: image.arch.debian(), os: "linux" });
        let tag = image.name.rsplit(':').next().unwrap_or_default();
        manifest.annotations = BTreeMap::from([
            ("io.containerd.image.name", image.name.clone()),
            ("org.opencontainers.image.ref.name", tag.to_owned()),
        ]);
        Self { schema_version: 2, media_type: INDEX, manifests: [manifest] }
    }
}

impl<'a> Config<'a> {
    pub(super) fn new(image: &'a Image, layer: &Layer) -> Self {
        let run = &image.run;
        Self {
            architecture: image.arch.debian(),
            os: "linux",
            config: Process {
                user: run.user.as_deref(),
                env: &run.env,
                entrypoint: &run.entrypoint,
                cmd: &run.command,
            },
            rootfs: RootFs { r#type: "layers", diff_ids: [format!("sha256:{}", layer.plain)] },
        }
    }
}
