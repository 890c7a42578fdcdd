//! What an image archive holds, from its lists alone: OCI's `index.json` (image-spec, image-layout.md), Docker's `manifest.json`
//! (moby, image/spec).

use std::{
    collections::BTreeSet,
    io::{self, Read, Seek, SeekFrom},
};

use serde::Deserialize;
use skerry_formats::digest::Digest;

use crate::registry::Reference;

/// An image in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Its reference.
    pub reference: String,
    /// Digest of its manifest.
    pub digest: String,
}

/// An archive that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum BadArchive {
    /// It cannot be read.
    #[error("not readable as a tar archive")]
    Tar(#[source] io::Error),
    /// It has no index.
    #[error("it has no `index.json`")]
    NoIndex,
    /// Its index is wrong.
    #[error("its `index.json` is no image index")]
    Index(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

impl Descriptor {
    /// The name that containerd gives it. What OCI knows as its name may be a tag alone.
    fn name(mut self) -> Option<String> {
        let own = self.annotations.remove("io.containerd.image.name");
        let full = |name: &String| name.parse::<Reference>().is_ok_and(|reference| reference.to_string() == *name);
        own.or_else(|| self.annotations.remove("org.opencontainers.image.ref.name").filter(full))
    }
}

/// An image in Docker's list.
#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
}

/// OCI's list of an archive's images, and Docker's.
const INDEX: &str = "index.json";
const DOCKERS: &str = "manifest.json";
const BLOCK: usize = 512;
const LARGEST_INDEX: u64 = 1 << 20;

/// The named images of an archive; only headers and the index are read.
///
/// # Errors
/// If it is no archive of images.
pub fn index(mut archive: impl Read + Seek) -> Result<Vec<Archived>, BadArchive> {
    let text = find(&mut archive, &[INDEX]).map_err(BadArchive::Tar)?.ok_or(BadArchive::NoIndex)?;
    let index: Index = serde_json::from_slice(&text).map_err(BadArchive::Index)?;
    let named = index.manifests.into_iter().filter_map(|mut descriptor| {
        let reference = descriptor.annotations.remove("io.containerd.image.name")?;
        Some(Archived { reference, digest: descriptor.digest })
    });
    Ok(named.collect())
}

/// The names that containerd knows an archive's images by, as far as its lists say them in full.
///
/// # Errors
/// If it cannot be read.
pub(super) fn names(mut archive: impl Read + Seek) -> io::Result<BTreeSet<String>> {
    let index = find(&mut archive, &[INDEX])?.and_then(|text| serde_json::from_slice::<Index>(&text).ok());
    archive.rewind()?;
    let saved = find(&mut archive, &[DOCKERS])?.and_then(|text| serde_json::from_slice::<Vec<Saved>>(&text).ok());
    let named = index.into_iter().flat_map(|index| index.manifests).filter_map(Descriptor::name);
    let tags = saved.into_iter().flatten().flat_map(|image| image.tags.unwrap_or_default());
    let tagged = tags.filter_map(|tag| tag.parse::<Reference>().ok()).map(|reference| reference.to_string());
    Ok(named.chain(tagged).collect())
}

/// What tells an archive's content from every other's: the digest of the file that names all images in it by their digests.
/// That of an empty text where there is no such file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn stamp(mut archive: impl Read + Seek) -> io::Result<Digest> {
    find(&mut archive, &[INDEX, DOCKERS]).map(|text| Digest::of(&text.unwrap_or_default()))
}

/// The first file with one of some names.
fn find(archive: &mut (impl Read + Seek), names: &[&str]) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0_u8; BLOCK];
    loop {
        match archive.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let name = header[..100].split(|byte| *byte == 0).next().unwrap_or_default();
        let size = octal(&header[124..136]).ok_or_else(|| io::Error::other("a header without a size"))?;
        let name = name.strip_prefix(b"./").unwrap_or(name);
        if names.iter().any(|wanted| name == wanted.as_bytes()) {
            let mut text = Vec::new();
            archive.take(size.min(LARGEST_INDEX)).read_to_end(&mut text)?;
            return Ok(Some(text));
        }
        let padded = i64::try_from(size.next_multiple_of(BLOCK as u64)).map_err(io::Error::other)?;
        archive.seek(SeekFrom::Current(padded))?;
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits: Vec<u8> = field.iter().copied().filter(|byte| !matches!(byte, 0 | b' ')).collect();
    u64::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok().filter(|size| *size < 1 << 40)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::{Archived, BadArchive, index, names, stamp};

    fn entry(name: &str, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0_u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block.extend_from_slice(content);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }

    const LIST: &str =
        r#"{"manifests":[{"digest":"sha256:ab","annotations":{"io.containerd.image.name":"localhost/a:1"}}]}"#;

    #[test]
    fn the_index_is_found_behind_other_files() {
        let tar = [entry("oci-layout", b"{}"), entry("blobs/x", &[7; 1000]), entry("index.json", LIST.as_bytes())];
        let found = index(Cursor::new(tar.concat())).expect("an archive");
        assert_eq!(found, [Archived { reference: "localhost/a:1".into(), digest: "sha256:ab".into() }]);
    }

    #[test]
    fn an_archive_without_an_index_is_refused() {
        assert!(matches!(index(Cursor::new(entry("a", b"b"))), Err(BadArchive::NoIndex)));
    }

    fn named(archive: &[Vec<u8>]) -> Vec<String> {
        names(Cursor::new(archive.concat())).expect("read").into_iter().collect()
    }

    #[test]
    fn images_are_named_by_whichever_list_says_so_in_full() {
        let list = r#"[{"Config":"c.json","RepoTags":["localhost/a:1","till:2"],"Layers":[]},{"RepoTags":null}]"#;
        let podman = [entry("c.json", b"{}"), entry("manifest.json", list.as_bytes())];
        assert_eq!(named(&podman), ["docker.io/library/till:2", "localhost/a:1"]);
        let annotated = |name: &str| {
            format!(
                r#"{{"manifests":[{{"digest":"sha256:ab","annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}]}}"#
            )
        };
        let oci = |name: &str| [entry("index.json", annotated(name).as_bytes()), entry("oci-layout", b"{}")];
        assert_eq!(named(&oci("localhost/a:1")), ["localhost/a:1"]);
        for short in ["1.2", "latest", "a:1", "localhost/a"] {
            assert_eq!(named(&oci(short)), [""; 0], "{short}");
        }
        let both = [entry("manifest.json", list.as_bytes()), entry("index.json", LIST.as_bytes())];
        assert_eq!(named(&both), ["docker.io/library/till:2", "localhost/a:1"]);
        assert_eq!(named(&[entry("manifest.json", b"no list"), entry("index.json", b"none")]), [""; 0]);
    }

    #[test]
    fn an_archive_of_the_same_size_with_other_images_has_another_stamp() {
        let of = |name: &str, text: &str| stamp(Cursor::new(entry(name, text.as_bytes()))).expect("read");
        assert_ne!(of("index.json", "one"), of("index.json", "two"));
        assert_ne!(of("manifest.json", "one"), of("manifest.json", "two"));
        assert_eq!(of("other", "one"), of("other", "two"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_archive_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = index(Cursor::new(&bytes));
            let _ = names(Cursor::new(&bytes));
        }
    }
}
