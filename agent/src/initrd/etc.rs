//! `/etc` as an overlay whose changes live in memory, the machine's lasting id, and baked seeds.

use std::path::Path;

use super::{InitError, SYSROOT};
use crate::{
    machine_id,
    seed::IMAGE_SEEDS,
    sys::{
        fs,
        mount::{Flags, Mount},
    },
};

/// The overlay's folders: `/run` lives in memory.
const UPPER: &str = "/run/skerry/etc/upper";
const WORK: &str = "/run/skerry/etc/work";

/// Puts a layer in memory over the root's `/etc`, so that nothing drifts from one boot to the next.
pub fn overlay() -> Result<(), InitError> {
    for folder in [UPPER, WORK] {
        fs::create_dir_all(Path::new(folder)).map_err(InitError::Files)?;
    }
    let etc = Path::new(SYSROOT).join("etc");
    let options = format!("lowerdir={},upperdir={UPPER},workdir={WORK}", etc.display());
    let overlay = Mount { source: "etc", kind: "overlay", flags: Flags::MS_NOATIME, options: &options };
    overlay.on(&etc).map_err(InitError::Mount)
}

/// Gives `/etc/machine-id` the id kept on DATA, which is made once.
pub fn machine_id() -> Result<(), InitError> {
    let kept = Path::new(SYSROOT).join("var/lib/skerry/machine-id");
    let id = machine_id::keep(&kept).map_err(InitError::Files)?;
    let file = Path::new(SYSROOT).join("etc/machine-id");
    fs::write_atomic(&file, format!("{id}\n").as_bytes(), 0o444).map_err(InitError::Files)
}

/// Brings seeds that were baked into the boot image to where the agent reads them.
pub fn baked_seeds() -> Result<(), InitError> {
    let to = Path::new(IMAGE_SEEDS);
    fs::create_private_dir(to).map_err(InitError::Files)?;
    for seed in fs::list(Path::new("/seeds")).map_err(InitError::Files)? {
        let (Some(name), Some("yaml")) = (seed.file_name(), seed.extension().and_then(|e| e.to_str())) else {
            continue;
        };
        let bytes = fs::read(&seed).map_err(InitError::Files)?;
        fs::write_atomic(&to.join(name), &bytes, 0o600).map_err(InitError::Files)?;
    }
    Ok(())
}
