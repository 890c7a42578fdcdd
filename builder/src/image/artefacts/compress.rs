//! The compressed image.

use std::{fs::File, io::Write as _, path::Path};

use skerry_formats::digest::Digest;
use tempfile::NamedTempFile;
use zstd::zstd_safe::CParameter;

use super::sparse::Sparse;
use crate::{
    fsx::{self, FsError},
    report::Step,
    store::Measured,
};

/// Fast, and within a few per cent of what higher levels reach: most of the image is compressed already.
const LEVEL: i32 = 1;

/// The shortest match, in bytes, and the size of the table of matches, as a power of two. What erofs has packed repeats itself in
/// short pieces only, which the level by itself would not look for.
const MATCHES: [CParameter; 2] = [CParameter::MinMatch(4), CParameter::HashLog(15)];

/// A compressed image without a name.
#[derive(Debug)]
pub struct Packed {
    /// Its bytes.
    pub file: NamedTempFile,
    /// How many.
    pub size: u64,
    /// Their digest.
    pub digest: Digest,
}

/// Compresses an image into a temporary file beside `path`, which is to be its name.
pub fn compress(image: &Sparse<'_>, path: &Path, step: &Step) -> Result<Packed, FsError> {
    step.total(image.size);
    let file = fsx::temp_file_in(path.parent().unwrap_or(Path::new(".")))?;
    let sink = Measured::new(fsx::during("open", file.path(), file.reopen())?);
    let mut encoder = fsx::during("compress into", path, encoder(sink, image.size))?;
    image.chunks(|_, chunk| {
        step.advance(chunk.bytes().len() as u64);
        fsx::during("write", path, encoder.write_all(chunk.bytes()))
    })?;
    let (digest, size) = fsx::during("write", path, encoder.finish())?.finish();
    fsx::during("write", path, file.as_file().sync_data())?;
    Ok(Packed { file, size, digest })
}

fn encoder(sink: Measured<File>, size: u64) -> std::io::Result<zstd::Encoder<'static, Measured<File>>> {
    let mut encoder = zstd::Encoder::new(sink, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(size))?;
    encoder.include_contentsize(true)?;
    for parameter in MATCHES {
        encoder.set_parameter(parameter)?;
    }
    encoder.multithread(2)?;
    Ok(encoder)
}
