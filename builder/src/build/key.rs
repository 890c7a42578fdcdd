//! What a root and an image depend on.

use std::path::{Path, PathBuf};

use skerry_formats::digest::{Digest, Hasher};

use super::{Bench, BuildError, Extras};
use crate::{
    archive::release,
    component::Built,
    fsx::{self, FsError},
    lock::Lock,
    plan::{BOOT, Plan, TOOLBOX},
    store::Key,
};

/// The key of a sealed root. The tool itself goes in: its code composes and seals.
pub fn of_root(plan: &Plan, bench: &Bench<'_>, (built, overlays): (&[Built], &[PathBuf])) -> Result<Key, BuildError> {
    let mut key = Key::new("root/1")
        .with("tool", tool()?)
        .with("packages", bench.lock.set_digest(&plan.root.name)?)
        .with("toolbox", bench.lock.set_digest(super::set(plan, TOOLBOX)?)?)
        .with("epoch", epoch(bench.lock))
        .with("board", format!("{:?}", plan.board))
        .with("recipe", format!("{:?}", plan.recipe))
        .with("profile", &plan.request.profile);
    for table in ["accounts.toml", "alternatives.toml", "drop.toml"] {
        key = key.with(table, Digest::of(&fsx::read(&bench.source.join("recipes").join(table))?));
    }
    for folder in overlays {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        key = key.with(format!("overlay {name}"), of_folder(folder)?);
    }
    for component in built {
        key = key.with(format!("version {}", component.name), &component.version);
    }
    for file in built.iter().flat_map(|built| &built.files) {
        key = key.with(format!("file {} {:o}", file.install, file.mode), file.content.digest());
    }
    Ok(key)
}

/// The key of a build's artefacts: root, boot files, seeds, and where the files lie.
pub fn of_artefacts(plan: &Plan, bench: &Bench<'_>, (root, extras): (&Key, &Extras)) -> Result<Key, BuildError> {
    let absolute = std::path::absolute(&extras.out).unwrap_or_else(|_| extras.out.clone());
    let mut key = Key::new("artefacts/1")
        .with("root", root.digest())
        .with("boot", bench.lock.set_digest(super::set(plan, BOOT)?)?)
        .with("signer", bench.signer.public().id())
        .with("path", absolute.join(&extras.base).display());
    for seed in &extras.seeds {
        key = key.with(format!("seed {}", seed.name), &seed.text);
    }
    for substitution in &extras.substitutions {
        key = key.with("substitution", substitution);
    }
    Ok(key)
}

/// Digest of the running program.
fn tool() -> Result<Digest, FsError> {
    let own = Path::new("/proc/self/exe");
    Ok(Digest::of(&fsx::read(own)?))
}

/// Digest of everything that an image is made of.
pub fn of_image(plan: &Plan, bench: &Bench<'_>, uki: &Digest) -> Digest {
    let lock = bench.lock.set_digest(&plan.root.name).unwrap_or_else(|_| Digest::of(b""));
    Key::new("image/1").with("uki", uki).with("lock", lock).with("board", &plan.board.name).digest()
}

/// The time that all files carry: when the newest state of the archive was made, in seconds since 1970.
pub fn epoch(lock: &Lock) -> u64 {
    let dates = lock.suites.values().filter_map(|suite| release::time_from_text(&suite.date));
    dates.max().unwrap_or_default()
}

/// Digest of a folder: names, modes' executable bits, links and contents.
fn of_folder(folder: &Path) -> Result<Digest, FsError> {
    let mut hasher = Hasher::default();
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        let Some(meta) = fsx::symlink_metadata(&path)? else { continue };
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        hasher.update(format!("{}:{name}:", name.len()).as_bytes());
        if meta.is_dir() {
            hasher.update(b"dir");
            todo.extend(fsx::read_dir(&path)?.into_iter().rev());
        } else if meta.is_symlink() {
            hasher.update(fsx::read_link(&path)?.to_string_lossy().as_bytes());
        } else {
            use std::os::unix::fs::PermissionsExt as _;
            let kind = if meta.permissions().mode() & 0o100 == 0 { "file" } else { "program" };
            hasher.update(format!("{kind}{}", Digest::of(&fsx::read(&path)?)).as_bytes());
        }
    }
    Ok(hasher.finish())
}
