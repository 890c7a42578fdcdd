//! Our own images under the names that the suite calls them by.

use std::{io::Read as _, path::Path};

use serde_json::Value;

use crate::files;

/// Where the suite looks for all images: at a host that nobody has, since nothing is to be pulled.
const REGISTRY: &str = "e2e.invalid/sk8s";

/// For each of our images, the suite's images that it stands for. What is in none of them cannot be had.
const STANDS_FOR: [(&str, &[&str]); 7] = [
    ("agnhost", &["agnhost", "glibc-dns-testing"]),
    ("nautilus", &["nautilus"]),
    ("nginx", &["nginx"]),
    ("nonewprivs", &["nonewprivs"]),
    ("pause", &["pause"]),
    ("sample-apiserver", &["etcd", "sample-apiserver"]),
    ("shell", &["busybox"]),
];

/// The suite's file of registries.
pub fn registries() -> String {
    let kinds = [
        "buildImageRegistry",
        "cloudProviderGcpRegistry",
        "dockerLibraryRegistry",
        "gcEtcdRegistry",
        "gcRegistry",
        "promoterE2eRegistry",
        "sigStorageRegistry",
    ];
    kinds.map(|kind| format!("{kind}: {REGISTRY}\n")).concat()
}

/// Writes an archive for each of the suite's images that one of ours stands for.
pub fn alias(ours: &Path, wanted: &[String], to: &Path) -> Result<(), String> {
    files::remove_all(to)?;
    files::create_dir_all(to)?;
    for name in wanted {
        let Some((archive, file)) = source(name) else { continue };
        let text = renamed(&files::read_bytes(&ours.join(format!("{archive}.tar")))?, name)?;
        files::write_bytes(&to.join(file), &text)?;
    }
    Ok(())
}

/// Which of our archives stands for an image, and the name of its new file.
fn source(name: &str) -> Option<(&'static str, String)> {
    let (repository, tag) = name.strip_prefix(REGISTRY)?.strip_prefix('/')?.split_once(':')?;
    let (archive, _) = STANDS_FOR.iter().find(|(_, names)| names.contains(&repository))?;
    Some((archive, format!("{repository}-{tag}.tar")))
}

/// The archive of an OCI image with another name in its index.
fn renamed(archive: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("no archive of an image: {error}");
    let mut reader = tar::Archive::new(archive);
    let mut writer = tar::Builder::new(Vec::new());
    for entry in reader.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let mut header = entry.header().clone();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        if path == Path::new("index.json") {
            bytes = index(&bytes, name)?;
            header.set_size(bytes.len() as u64);
        }
        writer.append_data(&mut header, path, &bytes[..]).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

fn index(bytes: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let mut index: Value = serde_json::from_slice(bytes).map_err(|error| format!("index.json: {error}"))?;
    let tag = name.rsplit(':').next().unwrap_or_default();
    let notes = &mut index["manifests"][0]["annotations"];
    notes["io.containerd.image.name"] = name.into();
    notes["org.opencontainers.image.ref.name"] = tag.into();
    serde_json::to_vec(&index).map_err(|error| format!("index.json: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_stands_for_those_of_its_list() {
        assert_eq!(source("e2e.invalid/sk8s/agnhost:2.63.0"), Some(("agnhost", "agnhost-2.63.0.tar".to_owned())));
        assert_eq!(source("e2e.invalid/sk8s/volume/nfs:1.6.0"), None);
        assert_eq!(source("example.org/agnhost:1"), None);
    }

    #[test]
    fn the_index_alone_changes() {
        let mut writer = tar::Builder::new(Vec::new());
        let given = br#"{"manifests":[{"digest":"sha256:1","annotations":{"io.containerd.image.name":"a/b:1"}}]}"#;
        for (path, bytes) in [("oci-layout", &b"{}"[..]), ("index.json", given), ("blobs/sha256/1", b"blob")] {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            writer.append_data(&mut header, path, bytes).expect("written");
        }
        let other = renamed(&writer.into_inner().expect("written"), "e2e.invalid/sk8s/busybox:1.37.0-1").expect("read");
        let mut archive = tar::Archive::new(&other[..]);
        let texts: Vec<String> = archive
            .entries()
            .expect("read")
            .map(|entry| std::io::read_to_string(entry.expect("read")).expect("text"))
            .collect();
        assert_eq!((texts[0].as_str(), texts[2].as_str()), ("{}", "blob"));
        let index: Value = serde_json::from_str(&texts[1]).expect("JSON");
        assert_eq!(index["manifests"][0]["digest"], "sha256:1");
        assert_eq!(
            index["manifests"][0]["annotations"]["io.containerd.image.name"],
            "e2e.invalid/sk8s/busybox:1.37.0-1"
        );
        assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "1.37.0-1");
    }
}
