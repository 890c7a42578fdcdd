//! Seed media: small FAT images that carry files under a label, as cloud-init's NoCloud defines them.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Write as _},
    path::Path,
};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};

use crate::files;

/// Bytes of a medium.
const SIZE: usize = 8 << 20;
/// A FAT volume's serial number, fixed so that the same files give the same bytes.
const VOLUME_ID: u32 = 0x534B_5259;

/// A file system to be: a label and files in its root folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    label: [u8; 11],
    files: BTreeMap<String, Vec<u8>>,
}

impl Medium {
    /// A NoCloud medium (label `CIDATA`) with this `user-data` and an empty `meta-data`.
    #[must_use]
    pub fn nocloud(user_data: impl Into<Vec<u8>>) -> Self {
        let files = [("user-data".to_owned(), user_data.into()), ("meta-data".to_owned(), Vec::new())];
        Self { label: *b"CIDATA     ", files: files.into() }
    }

    /// Adds a file, or replaces it.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.to_owned(), bytes.into());
        self
    }

    /// The medium's bytes; the same files give the same bytes.
    ///
    /// # Errors
    /// If the files do not fit into 8 MiB, or a name is none for FAT.
    pub fn image(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; SIZE];
        let mut disk = Cursor::new(bytes.as_mut_slice());
        let options = FormatVolumeOptions::new().fat_type(FatType::Fat16).volume_id(VOLUME_ID).volume_label(self.label);
        fatfs::format_volume(&mut disk, options)?;
        let volume = FileSystem::new(&mut disk, FsOptions::new().update_accessed_date(false))?;
        for (name, content) in &self.files {
            let mut file = volume.root_dir().create_file(name)?;
            file.truncate()?;
            file.write_all(content)?;
        }
        volume.unmount()?;
        Ok(bytes)
    }

    /// Writes the medium as an image file.
    ///
    /// # Errors
    /// As [`Medium::image`], or if the file cannot be written.
    pub fn write(&self, path: &Path) -> files::Result<()> {
        let bytes = files::during("make the medium", path, self.image())?;
        files::write(path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn files_and_label_are_read_back() {
        let bytes = Medium::nocloud("#cloud-config\n").with("network-config", "version: 2\n").image().unwrap();
        let volume = FileSystem::new(Cursor::new(bytes), FsOptions::new()).unwrap();
        assert_eq!(volume.volume_label(), "CIDATA");
        let mut text = String::new();
        volume.root_dir().open_file("user-data").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "#cloud-config\n");
        let names: Vec<String> = volume.root_dir().iter().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["meta-data", "network-config", "user-data"]);
    }

    #[test]
    fn same_files_give_the_same_bytes() {
        let medium = Medium::nocloud("a: 1\n");
        assert_eq!(medium.image().unwrap(), medium.image().unwrap());
    }

    #[test]
    fn too_much_content_is_an_error() {
        assert!(Medium::nocloud(vec![0; SIZE]).image().is_err());
    }
}
