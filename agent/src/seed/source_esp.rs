//! A file that was put onto the boot partition with any computer: `skerry/seed.yaml`.

use skerry_formats::seed::{SIZE_LIMIT, Source};

use super::{
    Kind, RawSeed,
    medium::{Access, Medium},
};
use crate::sys::{block::Device, fs};

const FILE: &str = "skerry/seed.yaml";

/// Reads it, if it is there.
///
/// # Errors
/// Says why it cannot be read.
pub fn read(esp: &Device) -> Result<Vec<RawSeed>, String> {
    let Some(medium) = Medium::fat(esp) else { return Ok(Vec::new()) };
    let bytes = medium.within(Access::Read, |folder| {
        let file = folder.join(FILE);
        if fs::exists(&file) { fs::read_limited(&file, SIZE_LIMIT as u64 + 1).map(Some) } else { Ok(None) }
    });
    let bytes = bytes.map_err(|error| error.in_words())?;
    Ok(bytes
        .map(|bytes| RawSeed { source: Source::new("seed.yaml on the ESP"), kind: Kind::Own, bytes })
        .into_iter()
        .collect())
}
