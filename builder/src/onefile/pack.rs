//! Compressing all files as one; the store keeps the result.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use skerry_formats::payload::WINDOW_LOG;

use super::{OneFileError, parts::Part};
use crate::{
    fsx,
    report::{Outcome, Step},
    store::{Key, Store},
    tree::Content,
};

/// docs/decisions/0007-one-file.md says why.
const LEVEL: i32 = 19;

/// The same on every host, whatever it has, so that the bytes are too.
const WORKERS: u32 = 4;

const FRAME: &str = "frame.zst";

/// Compresses the parts in their order, unless the store has them so; the path of the result, and where it came from.
pub(super) fn pack(parts: &[Part], store: &Store, step: &Step) -> Result<(PathBuf, Outcome), OneFileError> {
    let key = Key::new("frame/1").with("zstd", zstd::zstd_safe::version_number()).with("level", LEVEL);
    let key = parts.iter().fold(key.with("window", WINDOW_LOG), |key, part| key.with("bytes", part.content.digest()));
    if let Some(folder) = store.made(&key)? {
        return Ok((folder.join(FRAME), Outcome::FromStore));
    }
    let folder = store.workspace()?;
    compress(parts, &folder.path().join(FRAME), step)?;
    Ok((store.keep(&key, folder)?.join(FRAME), Outcome::Made))
}

fn compress(parts: &[Part], to: &Path, step: &Step) -> Result<(), OneFileError> {
    let size = parts.iter().map(|part| part.content.len()).sum();
    step.total(size);
    let mut out = fsx::during("compress into", to, encoder(fsx::create_new(to)?, size))?;
    for part in parts {
        match &part.content {
            Content::Bytes(bytes) => fsx::during("write", to, out.write_all(bytes))?,
            Content::Stored { path, .. } => {
                let mut from = Counted { file: fsx::open(path)?, step };
                fsx::during("compress", path, io::copy(&mut from, &mut out))?;
            }
        }
    }
    fsx::during("write", to, out.finish())?;
    Ok(())
}

/// The index has digests of what comes out.
fn encoder<W: Write>(to: W, size: u64) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(to, LEVEL)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.long_distance_matching(true)?;
    encoder.include_checksum(false)?;
    encoder.set_pledged_src_size(Some(size))?;
    encoder.multithread(WORKERS)?;
    Ok(encoder)
}

/// A file whose reading is shown.
struct Counted<'a> {
    file: std::fs::File,
    step: &'a Step,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.step.advance(count as u64);
        Ok(count)
    }
}
