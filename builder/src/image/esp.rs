//! The EFI system partition: FAT32 with the boot loader and the kernel image of slot A; no time, no random serial.

use std::io::{self, Read, Seek, SeekFrom, Write};

use skerry_formats::arch::Arch;

/// The loader starts the newest kernel at once, and nobody edits its command line.
const LOADER_CONF: &str = "timeout 0\neditor no\n";

/// A window of a file, as if it were a file of its own.
#[derive(Debug)]
pub struct Window<F> {
    file: F,
    start: u64,
    size: u64,
    at: u64,
}

impl<F> Window<F> {
    /// `size` bytes of a file from `start` on.
    pub const fn new(file: F, start: u64, size: u64) -> Self {
        Self { file, start, size, at: 0 }
    }
}

impl<F: Seek> Window<F> {
    /// Places the file where the window is, and says how many of `wanted` bytes fit.
    fn place(&mut self, wanted: usize) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.start + self.at))?;
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        Ok(wanted.min(left))
    }
}

impl<F: Read + Seek> Read for Window<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let fits = self.place(buffer.len())?;
        let count = self.file.read(&mut buffer[..fits])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<F: Write + Seek> Write for Window<F> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let fits = self.place(buffer.len())?;
        let count = self.file.write(&buffer[..fits])?;
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: Seek> Seek for Window<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Formats a window and fills it.
///
/// # Errors
/// If it cannot be written, or the files do not fit.
pub fn write<F: Read + Write + Seek>(
    mut window: Window<F>,
    arch: Arch,
    (boot_loader, uki): (&[u8], &[u8]),
) -> io::Result<()> {
    let options = fatfs::FormatVolumeOptions::new()
        .fat_type(fatfs::FatType::Fat32)
        .volume_id(0x5c3e_7a10)
        .volume_label(*b"ESP        ");
    fatfs::format_volume(&mut window, options)?;
    window.seek(SeekFrom::Start(0))?;
    // Without a clock of its own the library stamps everything with 1980-01-01.
    let fs = fatfs::FileSystem::new(window, fatfs::FsOptions::new().time_provider(&FixedTime))?;
    let root = fs.root_dir();
    for folder in ["EFI", "EFI/BOOT", "EFI/Linux", "loader", "skerry"] {
        root.create_dir(folder)?;
    }
    let name = format!("EFI/BOOT/BOOT{}.EFI", arch.efi().to_uppercase());
    for (path, bytes) in
        [("EFI/Linux/skerry-a.efi", uki), (name.as_str(), boot_loader), ("loader/loader.conf", LOADER_CONF.as_bytes())]
    {
        root.create_file(path)?.write_all(bytes)?;
    }
    drop(root);
    fs.unmount()
}

/// Every file is of the first day that FAT knows.
#[derive(Debug)]
struct FixedTime;

impl fatfs::TimeProvider for FixedTime {
    fn get_current_date(&self) -> fatfs::Date {
        fatfs::Date { year: 1980, month: 1, day: 1 }
    }

    fn get_current_date_time(&self) -> fatfs::DateTime {
        fatfs::DateTime { date: self.get_current_date(), time: fatfs::Time { hour: 0, min: 0, sec: 0, millis: 0 } }
    }
}
