//! The bytes of an image, unpacked into a sparse temporary file if they are compressed.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    fsx::{self, FsError},
    image::gpt::IMAGE_SIZE,
    seal::verity::Area,
};

const CHUNK: usize = 1 << 16;

/// An image, open for reading.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub file: File,
    pub size: u64,
}

impl Source {
    /// The image from `start` on.
    pub fn from(&self, start: u64) -> Area<'_> {
        Area { path: &self.path, file: &self.file, start }
    }

    /// Whether the image has bytes up to here.
    pub const fn reaches(&self, end: u64) -> bool {
        end <= self.size
    }
}

/// Opens an image.
pub fn open(path: &Path) -> Result<Source, FsError> {
    let file = fsx::open(path)?;
    let file = if path.extension().is_some_and(|end| end == "zst") { unpacked(path, file)? } else { file };
    let size = fsx::during("look at", path, file.metadata())?.len();
    Ok(Source { path: path.to_owned(), file, size })
}

/// The file has no name by the time it is returned, and is gone when closed.
fn unpacked(path: &Path, packed: File) -> Result<File, FsError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut out = fsx::temp_file_in(folder)?.into_file();
    let decoder = fsx::during("unpack", path, zstd::Decoder::new(packed))?;
    // One byte more than an image may have is enough to see that it is none.
    let mut from = decoder.take(IMAGE_SIZE + 1);
    let mut buffer = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let count = fsx::during("unpack", path, from.read(&mut buffer))?;
        let chunk = &buffer[..count];
        if count == 0 {
            break;
        } else if chunk.iter().all(|byte| *byte == 0) {
            fsx::during("unpack", path, out.seek(SeekFrom::Current(count as i64)))?;
        } else {
            fsx::during("unpack", path, out.write_all(chunk))?;
        }
        size += count as u64;
    }
    fsx::during("unpack", path, out.set_len(size))?;
    Ok(out)
}
