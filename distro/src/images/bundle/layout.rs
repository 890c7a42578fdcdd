//! Where each byte of an archive goes, known before a single layer is: an OCI image layout as a tar (image-spec, image-layout.md).
//!
//! Blobs lie in the order of their digests and no header holds a time, so the same images make the same bytes.

use std::{collections::BTreeMap, io};

use serde::Serialize;
use skerry_formats::{arch::Arch, digest::Digest};
use tar::{EntryType, Header};

use crate::registry::{Blob, Pulled};

const BLOCK: u64 = 512;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// An archive's plan.
pub(super) struct Layout {
    /// Its size in bytes.
    pub size: u64,
    /// What is known already, by its offset; zeros are between.
    pub pieces: Vec<(u64, Vec<u8>)>,
    /// Where each blob's content begins.
    pub blobs: BTreeMap<Digest, u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: String,
    size: u64,
    platform: Platform,
    annotations: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
struct Platform {
    architecture: &'static str,
    os: &'static str,
}

impl Layout {
    /// The plan for some images. Marker and index come first, so that a reader knows early what there is.
    ///
    /// # Errors
    /// If a header cannot hold what it should.
    pub fn of(images: &[Pulled], arch: Arch) -> io::Result<Self> {
        let mut layout = Self { size: 0, pieces: Vec::new(), blobs: BTreeMap::new() };
        for (name, bytes) in [("oci-layout", MARKER.to_vec()), ("index.json", index(images, arch)?)] {
            let at = layout.entry(name, bytes.len() as u64)?;
            layout.pieces.push((at, bytes));
        }
        let documents: BTreeMap<Digest, &[u8]> = images
            .iter()
            .flat_map(|image| [&image.manifest, &image.config])
            .map(|document| (document.blob.digest, document.bytes.as_slice()))
            .collect();
        for blob in blobs(images) {
            let at = layout.entry(&format!("blobs/sha256/{}", blob.digest), blob.size)?;
            layout.blobs.insert(blob.digest, at);
            if let Some(bytes) = documents.get(&blob.digest) {
                layout.pieces.push((at, bytes.to_vec()));
            }
        }
        layout.size += 2 * BLOCK;
        Ok(layout)
    }

    /// Plans a file and returns where its content begins.
    fn entry(&mut self, path: &str, size: u64) -> io::Result<u64> {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        self.pieces.push((self.size, header.as_bytes().to_vec()));
        let at = self.size + BLOCK;
        self.size = at + size.next_multiple_of(BLOCK);
        Ok(at)
    }
}

/// All blobs of some images, each once, by digest.
fn blobs(images: &[Pulled]) -> impl Iterator<Item = Blob> {
    let all =
        images.iter().flat_map(|image| [&image.manifest.blob, &image.config.blob].into_iter().chain(&image.layers));
    all.map(|blob| (blob.digest, blob.clone())).collect::<BTreeMap<_, _>>().into_values()
}

/// The index, where containerd finds each image's full name.
fn index(images: &[Pulled], arch: Arch) -> io::Result<Vec<u8>> {
    let descriptor = |image: &Pulled| Descriptor {
        media_type: image.media_type,
        digest: format!("sha256:{}", image.manifest.blob.digest),
        size: image.manifest.blob.size,
        platform: Platform { architecture: arch.debian(), os: "linux" },
        annotations: BTreeMap::from([
            ("io.containerd.image.name", image.reference.to_string()),
            ("org.opencontainers.image.ref.name", image.reference.version.to_string()),
        ]),
    };
    let mut sorted: Vec<&Pulled> = images.iter().collect();
    sorted.sort_by(|one, other| one.reference.cmp(&other.reference));
    let manifests = sorted.into_iter().map(descriptor).collect();
    Ok(serde_json::to_vec(&Index { schema_version: 2, media_type: INDEX, manifests })?)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use skerry_formats::{arch::Arch, digest::Digest};

    use super::Layout;
    use crate::registry::{Blob, Document, Pulled};

    fn document(text: &str) -> Document {
        let bytes = text.as_bytes().to_vec();
        Document { blob: Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 }, bytes }
    }

    fn image(name: &str, layers: &[&str]) -> Pulled {
        Pulled {
            reference: name.parse().expect("a name"),
            media_type: "application/vnd.oci.image.manifest.v1+json",
            manifest: document(&format!("manifest of {name}")),
            config: document("config"),
            layers: layers.iter().map(|layer| document(layer).blob).collect(),
        }
    }

    /// The archive that a plan makes, where every layer is one of these texts.
    fn written(images: &[Pulled], layers: &[&str]) -> Vec<u8> {
        let layout = Layout::of(images, Arch::Arm64).expect("a plan");
        let mut file = vec![0; usize::try_from(layout.size).expect("small")];
        let layers = layers.iter().map(|text| (layout.blobs[&document(text).blob.digest], text.as_bytes().to_vec()));
        for (at, bytes) in layout.pieces.iter().cloned().chain(layers) {
            let at = usize::try_from(at).expect("small");
            file[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        file
    }

    #[test]
    fn every_blob_is_there_once_under_its_digest() {
        let images = [image("r.example/b:2", &["base", "b"]), image("r.example/a:1", &["base"])];
        let file = written(&images, &["base", "b"]);
        let mut names = Vec::new();
        for entry in tar::Archive::new(&file[..]).entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("whole");
            let name = entry.path().expect("a path").display().to_string();
            assert_eq!(entry.header().mtime().expect("a time"), 0);
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                assert_eq!(Digest::of(&bytes).to_string(), hex);
            }
            names.push(name);
        }
        assert_eq!(names[..2], ["oci-layout", "index.json"]);
        // Two manifests, the configuration that they share, two layers.
        assert_eq!(names.len(), 2 + 5);
        assert!(names[2..].is_sorted());
    }

    #[test]
    fn the_folder_of_images_knows_it_and_order_is_no_matter() {
        let one = [image("r.example/b:2", &["b"]), image("r.example/a:1", &["b"])];
        let other = [one[1].clone(), one[0].clone()];
        let file = written(&one, &["b"]);
        assert_eq!(file, written(&other, &["b"]));
        let named = crate::images::index(Cursor::new(file)).expect("an archive of images");
        let named: Vec<String> = named.into_iter().map(|image| image.reference).collect();
        assert_eq!(named, ["r.example/a:1", "r.example/b:2"]);
    }
}
