//! A machine's state folder, and whether what it holds still belongs to the image.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Keep, VmError};
use crate::fsx;

/// Which image a disk overlay was made over; the overlay is worth nothing over another.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    image: PathBuf,
    bytes: u64,
    written_ns: u128,
    disk_bytes: u64,
}

/// What became of an earlier run's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There was none, or it was to be dropped.
    Nothing,
    /// It is used again.
    Earlier,
    /// It belonged to an image that has changed since, or to another disk size, and was dropped.
    Stale,
}

/// The folder `vm/<name>` beside an image.
pub fn beside(image: &Path) -> PathBuf {
    let parent = image.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    parent.join("vm").join(image.file_stem().unwrap_or_default())
}

/// Makes the folder ready for a run over `image` with a disk of `disk_bytes`.
pub fn prepare(folder: &Path, image: &Path, disk_bytes: u64, keep: Keep) -> Result<Found, VmError> {
    let origin = origin(image, disk_bytes)?;
    let file = folder.join("image.json");
    let earlier = fsx::size(&file)?.map(|_| fsx::read(&file)).transpose()?;
    let found = match (keep, earlier) {
        (_, None) | (Keep::Nothing, _) => Found::Nothing,
        (Keep::Earlier, Some(bytes)) if serde_json::from_slice(&bytes).is_ok_and(|was: Origin| was == origin) => {
            Found::Earlier
        }
        (Keep::Earlier, Some(_)) => Found::Stale,
    };
    if found == Found::Earlier {
        return Ok(found);
    }
    for name in ["disk.qcow2", "firmware-vars.fd", "image.json"] {
        fsx::remove_file(&folder.join(name))?;
    }
    if keep == Keep::Nothing {
        fsx::remove_dir_all(&folder.join("identity"))?;
    }
    fsx::create_dir_all(folder)?;
    let text = serde_json::to_vec_pretty(&origin).unwrap_or_default();
    fsx::write_atomic(&file, &text)?;
    Ok(found)
}

fn origin(image: &Path, disk_bytes: u64) -> Result<Origin, VmError> {
    let image = fsx::canonicalize(image)?;
    let meta = fsx::during("look at", &image, image.metadata())?;
    let written = fsx::during("look at", &image, meta.modified())?;
    let written_ns = written.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Ok(Origin { bytes: meta.len(), written_ns, image, disk_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_kept_until_the_image_changes() {
        let root = tempfile::tempdir().unwrap();
        let image = root.path().join("a.img");
        let folder = beside(&image);
        assert_eq!(folder, root.path().join("vm/a"));
        let at = |keep| prepare(&folder, &image, 8 << 30, keep).unwrap();
        fsx::write_atomic(&image, b"one").unwrap();
        assert_eq!(at(Keep::Earlier), Found::Nothing);
        fsx::write_atomic(&folder.join("disk.qcow2"), b"").unwrap();
        assert_eq!(at(Keep::Earlier), Found::Earlier);
        assert!(folder.join("disk.qcow2").exists());
        fsx::write_atomic(&image, b"another").unwrap();
        assert_eq!(at(Keep::Earlier), Found::Stale);
        assert!(!folder.join("disk.qcow2").exists());
    }

    #[test]
    fn identity_outlives_a_new_image_and_not_a_fresh_start() {
        let root = tempfile::tempdir().unwrap();
        let image = root.path().join("a.img");
        let folder = beside(&image);
        fsx::write_atomic(&image, b"one").unwrap();
        prepare(&folder, &image, 1, Keep::Earlier).unwrap();
        fsx::create_dir_all(&folder.join("identity")).unwrap();
        prepare(&folder, &image, 2, Keep::Earlier).unwrap();
        assert!(folder.join("identity").exists());
        prepare(&folder, &image, 2, Keep::Nothing).unwrap();
        assert!(!folder.join("identity").exists());
    }
}
