//! Images under test: finding them, copying them, damaging copies.

use std::{
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use skerry_formats::{
    layout::Part,
    verity::{BLOCK, Superblock},
};
use skerry_qemu::files;

use crate::{Broken, Check};

/// The one image in a folder whose name contains all of these words.
///
/// # Errors
/// If there is none or more than one.
pub fn find(folder: &Path, words: &[&str]) -> Check<PathBuf> {
    let entries = std::fs::read_dir(folder).map_err(Broken::when(&format!("could not list `{}`", folder.display())))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".img") && words.iter().all(|word| name.contains(word))
    };
    let mut found: Vec<PathBuf> = paths.filter(fits).collect();
    match (found.pop(), found.is_empty()) {
        (Some(image), true) => Ok(image),
        (None, _) => Err(Broken(format!("no image for `{}` in `{}`", words.join(" "), folder.display()))),
        (Some(_), false) => Err(Broken(format!("several images for `{}` in `{}`", words.join(" "), folder.display()))),
    }
}

/// Copies an image, leaving holes where it is zero.
///
/// # Errors
/// If a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Check {
    let failed = Broken::when::<std::io::Error>("could not copy the image");
    let mut source = files::open(from).map_err(Broken::when("could not copy the image"))?;
    let mut target = files::create(to).map_err(Broken::when("could not copy the image"))?;
    let mut chunk = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let count = source.read(&mut chunk).map_err(&failed)?;
        if count == 0 {
            return target.set_len(at).map_err(&failed);
        }
        if chunk[..count].iter().any(|byte| *byte != 0) {
            target.seek(SeekFrom::Start(at)).and_then(|_| target.write_all(&chunk[..count])).map_err(&failed)?;
        }
        at += count as u64;
    }
}

/// A place in ROOT-A.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// The file system's own first block, read when it is mounted.
    Data,
    /// The top block of the hash tree.
    TreeTop,
    /// The last block of the tree's lowest level: hashes of the last data blocks.
    TreeEnd,
}

/// Changes one bit of one byte in ROOT-A.
///
/// # Errors
/// If the file cannot be changed, or no verity tree is found.
pub fn flip(image: &Path, data_blocks: u64, place: Place) -> Check {
    let failed = Broken::when::<std::io::Error>("could not damage the image");
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(image).map_err(&failed)?;
    let block = BLOCK as u64;
    let hashes = data_blocks.div_ceil(block / 32);
    let at = match place {
        Place::Data => 1024,
        Place::TreeTop => (data_blocks + 1) * block + 5,
        Place::TreeEnd => (data_blocks + 1 + upper_levels(hashes) + hashes - 1) * block,
    };
    let at = Part::RootA.start() + at;
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut byte)).map_err(&failed)?;
    byte[0] ^= 1;
    file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(&byte)).map_err(&failed)
}

/// Blocks of the tree above a lowest level of `blocks` blocks; the top lies first on the disk.
fn upper_levels(mut blocks: u64) -> u64 {
    let mut sum = 0;
    while blocks > 1 {
        blocks = blocks.div_ceil(BLOCK as u64 / 32);
        sum += blocks;
    }
    sum
}

/// The number of data blocks in ROOT-A, from the superblock that lies behind them.
///
/// # Errors
/// If there is none.
pub fn data_blocks(image: &Path) -> Check<u64> {
    let mut file = files::open(image).map_err(Broken::when("could not read the image"))?;
    let mut block = vec![0; BLOCK];
    let blocks = Part::RootA.size().unwrap_or(0) / BLOCK as u64;
    file.seek(SeekFrom::Start(Part::RootA.start())).map_err(Broken::when("could not read the image"))?;
    for number in 0..blocks {
        file.read_exact(&mut block).map_err(Broken::when("could not read the image"))?;
        if let Ok(found) = Superblock::decode(&block)
            && found.data_blocks == number
        {
            return Ok(number);
        }
    }
    Err(Broken::new("there is no verity superblock in ROOT-A"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_above_the_leaves_has_one_block_per_128() {
        assert_eq!([1, 2, 128, 129, 20_000].map(upper_levels), [0, 1, 1, 3, 157 + 2 + 1]);
    }

    #[test]
    fn copy_keeps_bytes_and_holes() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let mut bytes = vec![0; 3 << 20];
        bytes[(2 << 20) + 7] = 1;
        files::write(&from, &bytes).unwrap();
        copy(&from, &to).unwrap();
        let copied = std::fs::metadata(&to).unwrap();
        assert_eq!(copied.len(), 3 << 20);
        assert!(std::os::unix::fs::MetadataExt::blocks(&copied) * 512 < 3 << 20);
    }
}
