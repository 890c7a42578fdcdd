//! The machine's id, made once and kept on DATA (`machine-id(5)`).

use std::{fmt, path::Path};

use crate::sys::fs::{self, Result};

/// 32 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineId(String);

impl MachineId {
    /// The id in a file's text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The first eight digits, enough to tell the nodes of a site apart.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id kept at a path; made and kept if there is none.
///
/// # Errors
/// If it cannot be kept.
pub fn keep(path: &Path) -> Result<MachineId> {
    if let Some(id) = fs::attribute(path).as_deref().and_then(MachineId::parse) {
        return Ok(id);
    }
    // Not `/dev/urandom`: at a first boot it may still give every device of a kind the same bytes.
    let random = fs::read_limited(Path::new("/dev/random"), 16)?;
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random);
    let id = MachineId(uuid::Builder::from_random_bytes(bytes).into_uuid().simple().to_string());
    if let Some(folder) = path.parent() {
        fs::create_private_dir(folder)?;
    }
    fs::write_atomic(path, format!("{id}\n").as_bytes(), 0o444)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lib/machine-id");
        let first = keep(&path).unwrap();
        assert_eq!(keep(&path).unwrap(), first);
        assert_eq!(MachineId::parse(&first.to_string()), Some(first));
    }

    #[test]
    fn foreign_text_is_no_id() {
        assert_eq!(MachineId::parse("uninitialized"), None);
        assert_eq!(MachineId::parse(""), None);
    }
}
