//! Seeds that were baked into the boot image: `skerry build --role`, `--seed`.

use std::path::Path;

use skerry_formats::seed::{SIZE_LIMIT, Source};

use super::{IMAGE_SEEDS, Kind, RawSeed};
use crate::{chain, sys::fs};

/// Reads them, in the order of their names.
///
/// # Errors
/// Says why they cannot be read.
pub fn read() -> Result<Vec<RawSeed>, String> {
    read_folder(Path::new(IMAGE_SEEDS)).map_err(|error| chain::one_line(&error))
}

fn read_folder(folder: &Path) -> fs::Result<Vec<RawSeed>> {
    let files = fs::list(folder)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    files
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let source = Source::new(format!("{name} of the boot image"));
            Ok(RawSeed { source, kind: Kind::Own, bytes: fs::read_limited(&path, SIZE_LIMIT as u64 + 1)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baked_seeds_are_read_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["50-seed.yaml", "10-role.yaml", "notes.txt"] {
            fs::write_atomic(&folder.path().join(name), name.as_bytes(), 0o600).unwrap();
        }
        let read = read_folder(folder.path()).unwrap();
        let sources: Vec<String> = read.iter().map(|seed| seed.source.to_string()).collect();
        assert_eq!(sources, ["10-role.yaml of the boot image", "50-seed.yaml of the boot image"]);
        assert!(read_folder(&folder.path().join("none")).unwrap().is_empty());
    }
}
