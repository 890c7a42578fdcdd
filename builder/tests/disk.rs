//! The disk image against the frozen layout v1, read back by other readers, and what it refuses.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "these are tests")]

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Read as _,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use nix::unistd::{Whence, lseek};
use skerry::{
    fsx,
    image::{self, Disk, esp::Window},
    report::print_error,
};
use skerry_formats::{
    arch::Arch,
    layout::{MIB, Part, SECTOR, disk_guid},
};

/// Compares with a file under `golden`; `SKERRY_BLESS=1` writes it instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/image").join(name);
    if std::env::var_os("SKERRY_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", path.display());
}

/// A root of so many bytes; all but its first are a hole.
fn root(folder: &Path, size: u64) -> PathBuf {
    let path = folder.join("root.img");
    fs::write(&path, b"the root").unwrap();
    File::options().write(true).open(&path).unwrap().set_len(size).unwrap();
    path
}

const UKI: &[u8] = &[0x55; 3 << 20];

fn write(disk: &Disk<'_>, path: &Path) -> Result<(), image::ImageError> {
    image::write(disk, path, &mut fsx::create_new(path).unwrap())
}

/// An image for an architecture, in a folder.
fn made(folder: &Path, arch: Arch, name: &str) -> PathBuf {
    let root = root(folder, 10 * MIB);
    let path = folder.join(name);
    write(&Disk { arch, boot_loader: b"boot loader", uki: UKI, root: &root }, &path).unwrap();
    path
}

fn partitions(path: &Path) -> String {
    let table = gpt::GptConfig::new().writable(false).open(path).unwrap();
    let mut text = format!("disk {}\n", table.guid());
    for (number, part) in table.partitions() {
        let (start, end) = (part.first_lba * SECTOR, (part.last_lba + 1) * SECTOR);
        let size = (end - start) / MIB;
        let _infallible = writeln!(
            text,
            "{number} {:<8} at {:>4} MiB {size:>4} MiB  type {}  guid {}  flags {:#x}",
            part.name,
            start / MIB,
            part.part_type_guid.guid,
            part.part_guid,
            part.flags,
        );
    }
    let _infallible = writeln!(text, "image of {} bytes", fs::metadata(path).unwrap().len());
    text
}

fn esp(path: &Path) -> String {
    let window = Window::new(fsx::open_rw(path).unwrap(), Part::Esp.start(), Part::Esp.size().unwrap());
    let fat = fatfs::FileSystem::new(window, fatfs::FsOptions::new().update_accessed_date(false)).unwrap();
    let kind = (fat.fat_type(), fat.cluster_size(), fat.volume_label(), fat.volume_id());
    let mut text = format!("{kind:?}\n");
    let mut todo = vec![(String::new(), fat.root_dir())];
    while let Some((above, folder)) = todo.pop() {
        for entry in folder.iter().map(Result::unwrap).filter(|entry| !entry.file_name().starts_with('.')) {
            let path = format!("{above}/{}", entry.file_name());
            let date = entry.modified().date;
            let _infallible = writeln!(text, "{path} {} {}-{}-{}", entry.len(), date.year, date.month, date.day);
            if entry.is_dir() {
                todo.push((path, entry.to_dir()));
            }
        }
    }
    text
}

/// The places of all partitions, with those that a device adds at its first boot.
fn layout() -> String {
    let mut text = format!("disk {}\n", disk_guid());
    for part in Part::ALL {
        let size = part.size().map_or("rest".to_owned(), |size| format!("{} MiB", size / MIB));
        let (start, kind, guid) = (part.start() / MIB, part.type_guid(), part.guid());
        let _infallible = writeln!(text, "{:<8} at {start:>4} MiB {size:>8}  type {kind}  guid {guid}", part.label());
    }
    text
}

#[test]
fn layout_v1_is_frozen() {
    golden("layout-v1.txt", &layout());
}

#[test]
fn an_image_holds_the_layout_and_its_files_for_each_architecture() {
    let folder = tempfile::tempdir().unwrap();
    for arch in Arch::ALL {
        let path = made(folder.path(), arch, arch.debian());
        golden(&format!("disk-{arch}.txt"), &format!("{}{}", partitions(&path), esp(&path)));
    }
}

#[test]
fn contents_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), Arch::Amd64, "a.img");
    let window = Window::new(fsx::open_rw(&path).unwrap(), Part::Esp.start(), Part::Esp.size().unwrap());
    let fat = fatfs::FileSystem::new(window, fatfs::FsOptions::new().update_accessed_date(false)).unwrap();
    let file = |path: &str| {
        let mut bytes = Vec::new();
        fat.root_dir().open_file(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(file("EFI/BOOT/BOOTX64.EFI"), b"boot loader");
    assert!(file("EFI/Linux/skerry-a.efi") == UKI);
    let mut root = Window::new(fsx::open(&path).unwrap(), Part::RootA.start(), 10 * MIB);
    let mut bytes = vec![1; 4096];
    root.read_exact(&mut bytes).unwrap();
    assert_eq!((&bytes[..8], bytes[8..].iter().max()), (&b"the root"[..], Some(&0)));
}

/// The parts of a file that are no holes.
fn written(file: &File) -> Vec<Range<u64>> {
    let seek = |at: i64, whence| lseek(file, at, whence).ok();
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(start) = seek(at, Whence::SeekData) {
        at = seek(start, Whence::SeekHole).unwrap();
        parts.push(start as u64..at as u64);
    }
    parts
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let files = folders.each_ref().map(|folder| fsx::open(&made(folder.path(), Arch::Arm64, "a.img")).unwrap());
    let places = [written(&files[0]), written(&files[1])].concat();
    assert!(places.iter().any(|place| place.end > Part::RootA.start()));
    for place in places {
        let [first, second] = files.each_ref().map(|file| {
            let mut bytes = vec![0; usize::try_from(place.end - place.start).unwrap()];
            file.read_exact_at(&mut bytes, place.start).unwrap();
            bytes
        });
        assert!(first == second, "bytes differ in {place:?}");
    }
    let [first, second] = files.map(|file| file.metadata().unwrap().len());
    assert_eq!(first, second);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Part::RootA.size().unwrap() / 100 * 60;
    let refused = |uki: &[u8], root: &Path| {
        let path = folder.path().join(format!("{}.img", uki.len()));
        let error = write(&Disk { arch: Arch::Amd64, boot_loader: b"boot loader", uki, root }, &path).unwrap_err();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0, "something was written");
        print_error(&error).replace(&folder.path().display().to_string(), "FOLDER")
    };
    let over = refused(b"uki", &root(folder.path(), limit + 1));
    let too_large = refused(&vec![0; 113 << 20], &root(folder.path(), limit));
    golden("refusals.txt", &format!("# slot over budget\n{over}\n# kernel image too large for its place\n{too_large}"));
}

#[test]
fn the_largest_that_fits_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = root(folder.path(), Part::RootA.size().unwrap() / 100 * 60);
    let uki = vec![1; 112 << 20];
    let path = folder.path().join("a.img");
    write(&Disk { arch: Arch::Amd64, boot_loader: b"boot loader", uki: &uki, root: &root }, &path).unwrap();
    assert!(esp(&path).contains("/EFI/Linux/skerry-a.efi 117440512"));
}
