//! Digest and block map of an image.

use std::fmt::Write as _;

use skerry_formats::digest::{Digest, Hasher};

use super::sparse::{Chunk, Sparse};
use crate::fsx::FsError;

const BLOCK: usize = 4096;
const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What is in an image.
#[derive(Debug)]
pub struct Survey {
    size: u64,
    /// Digest of all its bytes.
    pub digest: Digest,
    ranges: Vec<Range>,
}

/// A run of blocks that are not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    digest: Digest,
}

/// Reads a whole image.
pub fn survey(image: &Sparse<'_>) -> Result<Survey, FsError> {
    let (mut whole, mut ranges) = (Hasher::default(), Ranges::default());
    image.chunks(|at, chunk| {
        whole.update(chunk.bytes());
        ranges.take(at / BLOCK as u64, chunk);
        Ok(())
    })?;
    Ok(Survey { size: image.size, digest: whole.finish(), ranges: ranges.done() })
}

impl Survey {
    /// The block map, format 2.0 of bmap-tools: its own digest is computed with 64 zeros in its place.
    pub fn bmap(&self) -> String {
        let mapped: u64 = self.ranges.iter().map(|range| range.last - range.first + 1).sum();
        let mut lines = String::new();
        for Range { first, last, digest } in &self.ranges {
            let span = if first == last { first.to_string() } else { format!("{first}-{last}") };
            let _infallible = writeln!(lines, "        <Range chksum=\"{digest}\">{span}</Range>");
        }
        let size = self.size;
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
}

/// Runs of non-zero blocks, found as blocks go by.
#[derive(Default)]
struct Ranges {
    done: Vec<Range>,
    open: Option<(u64, u64, Hasher)>,
}

impl Ranges {
    fn take(&mut self, first_block: u64, chunk: Chunk<'_>) {
        let Chunk::Data(bytes) = chunk else { return self.close() };
        for (block, number) in bytes.chunks(BLOCK).zip(first_block..) {
            if *block == ZEROS[..block.len()] {
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
