//! Looking at an image: is it ours, and for which architecture.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use fatfs::{FileSystem, FsOptions};
use skerry_formats::{arch::Arch, layout::Part};

use super::VmError;
use crate::fsx;

/// The architecture of an image: that of the loader on its boot partition.
///
/// # Errors
/// If the file cannot be read or is no image of layout v1.
pub fn arch_of(path: &Path) -> Result<Arch, VmError> {
    let no_image = || VmError::NoImage { path: path.to_owned() };
    let window = Window::new(fsx::open(path)?, Part::Esp);
    let volume = FileSystem::new(window, FsOptions::new().update_accessed_date(false)).map_err(|_| no_image())?;
    let folder = volume.root_dir().open_dir("EFI/BOOT").map_err(|_| no_image())?;
    let names: Vec<String> = folder.iter().filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    let loader = |arch: &Arch| {
        let wanted = format!("BOOT{}.EFI", arch.efi());
        names.iter().any(|name| name.eq_ignore_ascii_case(&wanted))
    };
    Arch::ALL.into_iter().find(loader).ok_or_else(no_image)
}

/// The image in a folder that was written last.
///
/// # Errors
/// If there is none, or the folder cannot be read.
pub fn newest(folder: &Path) -> Result<PathBuf, VmError> {
    let nothing = || VmError::NothingBuilt(folder.to_owned());
    if fsx::symlink_metadata(folder)?.is_none() {
        return Err(nothing());
    }
    let mut images = Vec::new();
    for path in fsx::read_dir(folder)? {
        if path.extension().is_some_and(|end| end == "img")
            && let Some(meta) = fsx::symlink_metadata(&path)?
        {
            images.push((meta.modified().ok(), path));
        }
    }
    images.into_iter().max().map(|(_, path)| path).ok_or_else(nothing)
}

/// One partition of an image, read-only.
struct Window {
    file: File,
    start: u64,
    size: u64,
    at: u64,
}

impl Window {
    fn new(file: File, part: Part) -> Self {
        Self { file, start: part.start(), size: part.size().unwrap_or(0), at: 0 }
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        self.file.seek(SeekFrom::Start(self.start + self.at))?;
        let count = self.file.read(&mut buffer[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Write for Window {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::print_error;

    #[test]
    fn architecture_is_read_from_the_loader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.img");
        let mut esp = io::Cursor::new(vec![0; 4 << 20]);
        fatfs::format_volume(&mut esp, fatfs::FormatVolumeOptions::new()).unwrap();
        let volume = FileSystem::new(&mut esp, FsOptions::new()).unwrap();
        volume.root_dir().create_dir("EFI").unwrap().create_dir("BOOT").unwrap().create_file("BOOTAA64.EFI").unwrap();
        volume.unmount().unwrap();
        let mut file = fsx::create(&path).unwrap();
        file.seek(SeekFrom::Start(Part::Esp.start())).unwrap();
        file.write_all(esp.get_ref()).unwrap();
        assert_eq!(arch_of(&path).unwrap(), Arch::Arm64);
    }

    #[test]
    fn other_files_are_named_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.img.zst");
        fsx::write_atomic(&path, b"no image").unwrap();
        let error = arch_of(&path).unwrap_err();
        assert_eq!(
            print_error(&error).replace(folder.path().to_str().unwrap(), "DIR"),
            "error: not a Skerry disk image: `DIR/a.img.zst`\n  hint: unpack it first: `zstd -d DIR/a.img.zst`\n"
        );
    }

    #[test]
    fn newest_image_is_taken_and_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(newest(folder.path()), Err(VmError::NothingBuilt(_))));
        assert!(matches!(newest(&folder.path().join("out")), Err(VmError::NothingBuilt(_))));
        for (name, age) in [("a.img", 10), ("b.img", 20), ("c.txt", 0)] {
            let file = fsx::create(&folder.path().join(name)).unwrap();
            let old = file.metadata().unwrap().modified().unwrap() - std::time::Duration::from_secs(age);
            file.set_modified(old).unwrap();
        }
        assert!(newest(folder.path()).unwrap().ends_with("a.img"));
    }
}
