//! Kernel modules: unpacked here, because not every kernel unpacks its own.

use std::{ffi::CStr, io::Read as _, path::Path};

use liblzma::read::XzDecoder;
use nix::{errno::Errno, kmod};

use super::fs::{self, FsError};

/// The largest module that is unpacked, in bytes.
const LIMIT: u64 = 64 << 20;

/// A module that was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// Its file cannot be read.
    #[error("kernel module is unreadable")]
    Read(#[source] FsError),
    /// Its file cannot be unpacked.
    #[error("could not unpack kernel module `{path}`")]
    Unpack {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: std::io::Error,
    },
    /// The kernel refused it.
    #[error("the kernel refused module `{path}`")]
    Refused {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Errno,
    },
}

/// Reads a module, and unpacks it if its name ends in `.xz`.
///
/// # Errors
/// If it cannot be read or unpacked.
pub fn unpacked(path: &Path) -> Result<Vec<u8>, ModuleError> {
    let bytes = fs::read(path).map_err(ModuleError::Read)?;
    if path.extension().is_none_or(|extension| extension != "xz") {
        return Ok(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len() * 4);
    let unpack = XzDecoder::new(bytes.as_slice()).take(LIMIT).read_to_end(&mut plain);
    unpack.map_err(|source| ModuleError::Unpack { path: path.display().to_string(), source })?;
    Ok(plain)
}

/// Loads an unpacked module. One that is there already is fine.
///
/// # Errors
/// If the kernel refuses it.
pub fn load(path: &Path, plain: &[u8]) -> Result<(), ModuleError> {
    const NO_OPTIONS: &CStr = c"";
    match kmod::init_module(plain, NO_OPTIONS) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(source) => Err(ModuleError::Refused { path: path.display().to_string(), source }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn xz_modules_are_unpacked_and_plain_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 6);
        packer.write_all(b"\x7fELF module").unwrap();
        let packed = folder.path().join("a.ko.xz");
        fs::write_atomic(&packed, &packer.finish().unwrap(), 0o644).unwrap();
        assert_eq!(unpacked(&packed).unwrap(), b"\x7fELF module");
        let plain = folder.path().join("a.ko");
        fs::write_atomic(&plain, b"\x7fELF module", 0o644).unwrap();
        assert_eq!(unpacked(&plain).unwrap(), b"\x7fELF module");
        fs::write_atomic(&packed, b"\x7fELF module", 0o644).unwrap();
        assert!(matches!(unpacked(&packed), Err(ModuleError::Unpack { .. })));
    }
}
