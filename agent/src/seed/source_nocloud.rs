//! cloud-init's NoCloud: a medium labelled `cidata` with `user-data`, and perhaps `meta-data` and `network-config`.

use std::path::Path;

use skerry_formats::seed::{SIZE_LIMIT, Source};

use super::{
    Kind, RawSeed,
    medium::{Access, Medium},
};
use crate::sys::fs;

/// The weakest first: what user-data says wins.
const FILES: [(&str, Kind); 3] =
    [("meta-data", Kind::MetaData), ("network-config", Kind::NetworkConfig), ("user-data", Kind::UserData)];

/// Reads the medium.
///
/// # Errors
/// Says why it cannot be read.
pub fn read(medium: &Medium) -> Result<Vec<RawSeed>, String> {
    let read = medium.within(Access::Read, |folder| read_folder(folder, medium.name()));
    read.map_err(|error| error.in_words())
}

fn read_folder(folder: &Path, device: &str) -> fs::Result<Vec<RawSeed>> {
    let there = FILES.into_iter().filter(|(name, _)| fs::exists(&folder.join(name)));
    there
        .map(|(name, kind)| {
            let source = Source::new(format!("{name} on the medium `{device}`"));
            Ok(RawSeed { source, kind, bytes: fs::read_limited(&folder.join(name), SIZE_LIMIT as u64 + 1)? })
        })
        .collect()
}
