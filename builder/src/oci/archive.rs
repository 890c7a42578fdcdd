//! The archive around an image: the OCI image layout as a tar.

use std::io::{self, Write};

use serde::Serialize;
use skerry_formats::digest::Digest;
use tar::{EntryType, Header};

use super::{
    Image,
    layer::Layer,
    model::{CONFIG, Config, Descriptor, Index, LAYER, MANIFEST, Manifest},
};

/// Writes the archive: layout marker and index first, so that a reader needs no seeking.
pub(super) fn write(image: &Image, layer: &Layer, to: impl Write) -> io::Result<()> {
    let config = json(&Config::new(image, layer))?;
    let manifest = json(&Manifest::new(describe(CONFIG, &config), describe(LAYER, &layer.bytes)))?;
    let index = json(&Index::new(image, describe(MANIFEST, &manifest)))?;
    let mut archive = tar::Builder::new(to);
    file(&mut archive, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    file(&mut archive, "index.json", &index)?;
    for blob in [&manifest, &config, &layer.bytes] {
        file(&mut archive, &format!("blobs/sha256/{}", Digest::of(blob)), blob)?;
    }
    archive.into_inner()?.flush()
}

fn json(document: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(document)?)
}

fn describe(media_type: &'static str, blob: &[u8]) -> Descriptor {
    Descriptor::new(media_type, &Digest::of(blob), blob.len() as u64)
}

fn file(archive: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, path, bytes)
}
