//! The files that a build leaves: image, compressed image, digest, block map and signed manifest.

mod compress;
mod map;
mod sparse;

use std::{
    panic,
    path::{Path, PathBuf},
    thread,
};

use serde::{Deserialize, Serialize};
use skerry_formats::{digest::Digest, manifest::Blob};
use tempfile::NamedTempFile;

use crate::{
    fsx::{self, FsError},
    report::Step,
};

use sparse::Sparse;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Who may read an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// Everyone.
    #[default]
    All,
    /// Its owner alone: a seed lies in it, and with that keys or a token.
    Owner,
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::All => 0o644,
            Self::Owner => 0o600,
        }
    }
}

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Writes the signed manifest of an image with these bytes.
pub type ManifestOf<'a> = &'a dyn Fn(Blob) -> std::io::Result<String>;

/// Gives a finished image its name and writes what goes beside it. Nothing has a final name before all of it is whole.
///
/// # Errors
/// If a file cannot be read or written.
pub fn finish(
    raw: NamedTempFile,
    (out, base, readers): (&Path, &str, Readers),
    manifest: ManifestOf<'_>,
    step: &Step,
) -> Result<Vec<Artefact>, FsError> {
    let path = |ending: &str| out.join(format!("{base}.img{ending}"));
    let size = fsx::size(raw.path())?.unwrap_or_default();
    let image = Sparse { path: raw.path(), file: raw.as_file(), size };
    let (written, survey, packed) = thread::scope(|scope| {
        // What gets a final name shall be on the disk; the disk works while the processor does.
        let written = scope.spawn(|| fsx::during("write", &path(""), raw.as_file().sync_data()));
        let survey = scope.spawn(|| map::survey(&image));
        let packed = compress::compress(&image, &path(".zst"), step);
        (joined(written), joined(survey), packed)
    });
    written?;
    let (survey, packed) = (survey?, packed?);
    let sum = format!("{}  {base}.img\n", survey.digest);
    let manifest_path = out.join(format!("{base}.manifest.json"));
    let manifest = fsx::during("write", &manifest_path, manifest(Blob { bytes: size, sha256: survey.digest }))?;
    let small = [
        (ArtefactKind::Bmap, path(".bmap"), survey.bmap()),
        (ArtefactKind::Sha256, path(".sha256"), sum),
        (ArtefactKind::Manifest, manifest_path, manifest),
    ];
    let mut artefacts = vec![
        Artefact { kind: ArtefactKind::Image, path: path(""), size, sha256: survey.digest },
        Artefact { kind: ArtefactKind::ImageZst, path: path(".zst"), size: packed.size, sha256: packed.digest },
    ];
    for (kind, path, text) in small {
        fsx::write_atomic(&path, text.as_bytes())?;
        artefacts.push(Artefact { kind, path, size: text.len() as u64, sha256: Digest::of(text.as_bytes()) });
    }
    fsx::persist_as(packed.file, &path(".zst"), readers.mode())?;
    fsx::persist_as(raw, &path(""), readers.mode())?;
    Ok(artefacts)
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::report::Reporter;

    #[test]
    fn compressed_image_unpacks_to_the_image_and_the_map_covers_its_data() {
        let dir = tempfile::tempdir().unwrap();
        let mut raw = fsx::temp_file_in(dir.path()).unwrap();
        let mut bytes = vec![0; 3 * sparse::CHUNK + 4096];
        bytes[5 * 4096..6 * 4096 + 1].fill(7);
        bytes[3 * sparse::CHUNK] = 1;
        raw.write_all(&bytes).unwrap();
        let step = Reporter::quiet().step("x");
        let artefacts =
            finish(raw, (dir.path(), "a", Readers::All), &|image| Ok(image.sha256.to_string()), &step).unwrap();
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
    fn an_image_with_a_seed_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        for (readers, image) in [(Readers::Owner, 0o600), (Readers::All, 0o644)] {
            let mut raw = fsx::temp_file_in(dir.path()).unwrap();
            raw.write_all(&[7; 4096]).unwrap();
            let step = Reporter::quiet().step("x");
            let artefacts = finish(raw, (dir.path(), "a", readers), &|_| Ok(String::new()), &step).unwrap();
            step.done(crate::report::Outcome::Made);
            for artefact in artefacts {
                let meta = fsx::symlink_metadata(&artefact.path).unwrap().unwrap();
                let has_bytes = matches!(artefact.kind, ArtefactKind::Image | ArtefactKind::ImageZst);
                let wanted = if has_bytes { image } else { 0o644 };
                assert_eq!(meta.permissions().mode() & 0o777, wanted, "{}", artefact.path.display());
            }
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let raw = fsx::temp_file_in(dir.path()).unwrap();
        let step = Reporter::quiet().step("x");
        let missing = Path::new("/proc/nowhere");
        let error = finish(raw, (missing, "a", Readers::All), &|_| Ok(String::new()), &step).unwrap_err();
        assert_eq!(error.to_string(), "could not create folder `/proc/nowhere`");
    }
}
