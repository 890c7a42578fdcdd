//! The files that a build leaves: image, compressed image, digest and block map, from one pass over the image.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use skerry_formats::{
    digest::{Digest, Hasher},
    manifest::Blob,
};
use tempfile::NamedTempFile;

use crate::{
    fsx::{self, FsError},
    report::Step,
};

const BLOCK: usize = 4096;
const CHUNK: usize = 1 << 20;
/// Fast, and within a few per cent of what higher levels reach: most of the image is compressed already.
const ZSTD_LEVEL: i32 = 3;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtefactKind {
    /// The raw disk image.
    Image,
    /// The same, compressed.
    ImageZst,
    /// Which blocks of the image matter, as bmaptool reads it.
    Bmap,
    /// Digest of the image, as sha256sum reads it.
    Sha256,
    /// What the image is, signed.
    Manifest,
}

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Artefact {
    /// What it is.
    pub kind: ArtefactKind,
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// A run of blocks that are not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    digest: Digest,
}

/// What one pass over the image finds.
struct Pass {
    digest: Digest,
    ranges: Vec<Range>,
    zst: Artefact,
    file: NamedTempFile,
}

/// Writes the signed manifest of an image with these bytes.
pub type ManifestOf<'a> = &'a dyn Fn(Blob) -> std::io::Result<String>;

/// Gives a finished image its name and writes what goes beside it. Nothing has a final name before all of it is whole.
///
/// # Errors
/// If a file cannot be read or written.
pub fn finish(
    mut raw: NamedTempFile,
    (out, base): (&Path, &str),
    manifest: ManifestOf<'_>,
    step: &Step,
) -> Result<Vec<Artefact>, FsError> {
    let path = |ending: &str| out.join(format!("{base}.img{ending}"));
    let end = raw.as_file_mut().seek(SeekFrom::End(0));
    let size = fsx::during("read", raw.path(), end)?;
    step.total(size);
    let pass = pass(&mut raw, path(".zst"), size, step)?;
    let bmap = bmap(size, &pass.ranges);
    let sum = format!("{}  {base}.img\n", pass.digest);
    let manifest_path = out.join(format!("{base}.manifest.json"));
    let manifest = manifest(Blob { bytes: size, sha256: pass.digest });
    let manifest = fsx::during("write", &manifest_path, manifest)?;
    let small = [
        (ArtefactKind::Bmap, path(".bmap"), bmap),
        (ArtefactKind::Sha256, path(".sha256"), sum),
        (ArtefactKind::Manifest, manifest_path, manifest),
    ];
    let mut artefacts =
        vec![Artefact { kind: ArtefactKind::Image, path: path(""), size, sha256: pass.digest }, pass.zst];
    for (kind, path, text) in small {
        fsx::write_atomic(&path, text.as_bytes())?;
        artefacts.push(Artefact { kind, path, size: text.len() as u64, sha256: Digest::of(text.as_bytes()) });
    }
    fsx::persist(pass.file, &path(".zst"))?;
    fsx::persist(raw, &path(""))?;
    Ok(artefacts)
}

fn pass(raw: &mut NamedTempFile, zst: PathBuf, size: u64, step: &Step) -> Result<Pass, FsError> {
    let raw_path = raw.path().to_owned();
    let target = fsx::temp_file_in(zst.parent().unwrap_or(Path::new(".")))?;
    let sink = Hashed { file: target.reopen(), hasher: Hasher::default(), size: 0 };
    let mut encoder = fsx::during("compress into", &zst, encoder(sink, size))?;
    let (mut whole, mut ranges) = (Hasher::default(), Ranges::default());
    let file = raw.as_file_mut();
    fsx::during("read", &raw_path, file.seek(SeekFrom::Start(0)))?;
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < size {
        let want = usize::try_from(size - at).map_or(CHUNK, |left| left.min(CHUNK));
        let chunk = &mut buffer[..want];
        fsx::during("read", &raw_path, file.read_exact(chunk))?;
        whole.update(chunk);
        ranges.take(at / BLOCK as u64, chunk);
        fsx::during("write", &zst, encoder.write_all(chunk))?;
        step.advance(want as u64);
        at += want as u64;
    }
    let sink = fsx::during("write", &zst, encoder.finish())?;
    let zst = Artefact { kind: ArtefactKind::ImageZst, path: zst, size: sink.size, sha256: sink.hasher.finish() };
    Ok(Pass { digest: whole.finish(), ranges: ranges.done(), zst, file: target })
}

fn encoder(sink: Hashed, size: u64) -> std::io::Result<zstd::Encoder<'static, Hashed>> {
    let mut encoder = zstd::Encoder::new(sink, ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(size))?;
    encoder.include_contentsize(true)?;
    encoder.multithread(2)?;
    Ok(encoder)
}

/// A file that knows the digest of what was written to it.
struct Hashed {
    file: std::io::Result<File>,
    hasher: Hasher,
    size: u64,
}

impl std::io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let file = self.file.as_mut().map_err(|error| std::io::Error::from(error.kind()))?;
        let count = file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs of non-zero blocks, found as blocks go by.
#[derive(Default)]
struct Ranges {
    done: Vec<Range>,
    open: Option<(u64, u64, Hasher)>,
}

impl Ranges {
    fn take(&mut self, first_block: u64, chunk: &[u8]) {
        for (block, number) in chunk.chunks(BLOCK).zip(first_block..) {
            if block.iter().all(|byte| *byte == 0) {
                self.close();
            } else {
                let (_, last, hasher) = self.open.get_or_insert_with(|| (number, number, Hasher::default()));
                *last = number;
                hasher.update(block);
            }
        }
    }

    fn close(&mut self) {
        if let Some((first, last, hasher)) = self.open.take() {
            self.done.push(Range { first, last, digest: hasher.finish() });
        }
    }

    fn done(mut self) -> Vec<Range> {
        self.close();
        self.done
    }
}

/// The block map, format 2.0 of bmap-tools: its own digest is computed with 64 zeros in its place.
fn bmap(size: u64, ranges: &[Range]) -> String {
    let mapped: u64 = ranges.iter().map(|range| range.last - range.first + 1).sum();
    let mut lines = String::new();
    for Range { first, last, digest } in ranges {
        let span = if first == last { first.to_string() } else { format!("{first}-{last}") };
        let _infallible = writeln!(lines, "        <Range chksum=\"{digest}\">{span}</Range>");
    }
    let blocks = size.div_ceil(BLOCK as u64);
    let with = |own: &str| {
        format!(
            "<?xml version=\"1.0\" ?>\n<bmap version=\"2.0\">\n    <ImageSize>{size}</ImageSize>\n    \
             <BlockSize>{BLOCK}</BlockSize>\n    <BlocksCount>{blocks}</BlocksCount>\n    \
             <MappedBlocksCount>{mapped}</MappedBlocksCount>\n    <ChecksumType>sha256</ChecksumType>\n    \
             <BmapFileChecksum>{own}</BmapFileChecksum>\n    <BlockMap>\n{lines}    </BlockMap>\n</bmap>\n"
        )
    };
    let own = Digest::of(with(&"0".repeat(64)).as_bytes());
    with(&own.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Reporter;

    #[test]
    fn compressed_image_unpacks_to_the_image_and_the_map_covers_its_data() {
        let dir = tempfile::tempdir().unwrap();
        let mut raw = fsx::temp_file_in(dir.path()).unwrap();
        let mut bytes = vec![0; 3 * CHUNK + 4096];
        bytes[5 * BLOCK..6 * BLOCK + 1].fill(7);
        bytes[3 * CHUNK] = 1;
        raw.write_all(&bytes).unwrap();
        let step = Reporter::quiet().step("x");
        let artefacts = finish(raw, (dir.path(), "a"), &|image| Ok(image.sha256.to_string()), &step).unwrap();
        step.done(crate::report::Outcome::Made);
        let packed = fsx::read(&dir.path().join("a.img.zst")).unwrap();
        assert_eq!(zstd::decode_all(&packed[..]).unwrap(), bytes);
        assert_eq!(artefacts[0].sha256, Digest::of(&bytes));
        assert_eq!(artefacts[1].sha256, Digest::of(&packed));
        let map = fsx::read_to_string(&dir.path().join("a.img.bmap")).unwrap();
        assert!(map.contains(">5-6</Range>") && map.contains("<MappedBlocksCount>3<"), "{map}");
        assert_eq!(fsx::read_dir(dir.path()).unwrap().len(), 5);
        assert_eq!(fsx::read_to_string(&dir.path().join("a.manifest.json")).unwrap(), Digest::of(&bytes).to_string());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let raw = fsx::temp_file_in(dir.path()).unwrap();
        let step = Reporter::quiet().step("x");
        let missing = Path::new("/proc/nowhere");
        let error = finish(raw, (missing, "a"), &|_| Ok(String::new()), &step).unwrap_err();
        assert_eq!(error.to_string(), "could not create folder `/proc/nowhere`");
    }
}
