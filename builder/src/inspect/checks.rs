//! The checks, one function each: what is right in a few words, or what is wrong.

use std::io::Read as _;

use object::{Object as _, ObjectSection as _};
use skerry_formats::{
    cmdline::RootRef,
    digest::{Digest, Hasher},
    layout::{Part, SECTOR},
    manifest::Manifest,
    verity::{BLOCK, SUPERBLOCK_SIZE, Superblock},
};

use super::{cpio, problem::Problem, source::Source};
use crate::{
    fsx::FsError,
    image::{
        esp::Window,
        gpt::{self, IMAGE_SIZE},
    },
    report::bytes,
    seal::{uki, verity},
};

const CHUNK: usize = 1 << 20;
const KERNEL_IMAGE: &str = "EFI/Linux/skerry-a.efi";
/// Where the entries of a primary table begin, and bytes of each.
const ENTRIES: usize = 2 * SECTOR as usize;
const ENTRY: usize = 128;

/// What a check found; the outer error is of a file that cannot be read at all.
type Found = Result<Result<String, Problem>, FsError>;

pub fn size(source: &Source, manifest: &Manifest) -> Result<String, Problem> {
    let (found, wanted) = (source.size, manifest.image.bytes);
    if found == wanted { Ok(bytes(found)) } else { Err(Problem::Size { found, wanted }) }
}

pub fn digest(source: &Source, manifest: &Manifest) -> Found {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < source.size {
        let part = usize::try_from(source.size - at).map_or(CHUNK, |left| left.min(CHUNK));
        source.from(at).read(&mut buffer[..part], 0)?;
        hasher.update(&buffer[..part]);
        at += part as u64;
    }
    Ok(same("image", hasher.finish(), manifest.image.sha256))
}

fn same(what: &'static str, found: Digest, wanted: Digest) -> Result<String, Problem> {
    if found == wanted {
        Ok(format!("sha256 {}…", found.short()))
    } else {
        Err(Problem::Digest { what, found, wanted })
    }
}

/// Both tables are compared whole: layout 1 fixes every byte of them.
pub fn partitions(source: &Source) -> Found {
    if !source.reaches(IMAGE_SIZE) {
        return Ok(Err(Problem::CutShort("the backup partition table")));
    }
    let tables = gpt::tables();
    let backup_at = IMAGE_SIZE - tables.backup.len() as u64;
    for (table, at, wanted, entries) in
        [("primary", 0, &tables.primary, ENTRIES), ("backup", backup_at, &tables.backup, 0)]
    {
        let mut found = vec![0; wanted.len()];
        source.from(at).read(&mut found, 0)?;
        if let Some(byte) = found.iter().zip(wanted).position(|(found, wanted)| found != wanted) {
            let entry = byte.checked_sub(entries).and_then(|byte| Part::IN_IMAGE.get(byte / ENTRY));
            let place = entry.map_or_else(|| "its header".to_owned(), |part| format!("partition {}", part.label()));
            return Ok(Err(Problem::Partition { table, place }));
        }
    }
    Ok(Ok(Part::IN_IMAGE.map(Part::label).join(" ")))
}

/// The unified kernel image, from a boot partition that has a boot loader as well.
pub fn kernel_image(source: &Source, manifest: &Manifest) -> Result<Vec<u8>, Problem> {
    let size = Part::Esp.size().unwrap_or_default();
    if !source.reaches(Part::Esp.start() + size) {
        return Err(Problem::CutShort("the boot partition"));
    }
    let missing = |path: &str| Problem::BootFile(path.to_owned());
    let file = source.file.try_clone().map_err(|_| missing("/"))?;
    let window = ReadOnly(Window::new(file, Part::Esp.start(), size));
    let options = fatfs::FsOptions::new().update_accessed_date(false);
    let volume = fatfs::FileSystem::new(window, options).map_err(|_| missing("/"))?;
    let read = |path: &str| {
        let mut content = Vec::new();
        let file = volume.root_dir().open_file(path).map_err(|_| missing(path))?;
        file.take(uki::BUDGET + 1).read_to_end(&mut content).map_err(|_| missing(path))?;
        Ok(content)
    };
    read(&format!("EFI/BOOT/BOOT{}.EFI", manifest.arch.efi().to_uppercase()))?;
    read(KERNEL_IMAGE)
}

pub fn uki_digest(uki: &[u8], manifest: &Manifest) -> Result<String, Problem> {
    same("kernel image", Digest::of(uki), manifest.uki.sha256)
}

/// The command line, in an image that has all its other parts too.
pub fn command_line(uki: &[u8], manifest: &Manifest) -> Result<String, Problem> {
    for name in [".osrel", ".uname", ".linux", ".initrd"] {
        section(uki, name)?;
    }
    let found = RootRef::parse(&String::from_utf8_lossy(section(uki, ".cmdline")?))?;
    if found == manifest.root.reference() {
        Ok(format!("root hash {}…", found.root_hash.short()))
    } else {
        Err(Problem::OtherRoot { hash: found.root_hash, blocks: found.data_blocks })
    }
}

/// Names of the baked seeds go into `seeds`; what is in them stays there.
pub fn seeds(uki: &[u8], seeds: &mut Vec<String>) -> Result<String, Problem> {
    let names = cpio::names(section(uki, ".initrd")?).ok_or(Problem::Initrd)?;
    seeds.extend(names.iter().filter_map(|name| name.strip_prefix("seeds/")).map(str::to_owned));
    let list = if seeds.is_empty() { "none".to_owned() } else { seeds.join(" ") };
    Ok(format!("{} entries; seeds: {list}", names.len()))
}

fn section<'a>(uki: &'a [u8], name: &'static str) -> Result<&'a [u8], Problem> {
    let program = object::read::pe::PeFile64::parse(uki).map_err(|_| Problem::Section(name))?;
    let section = program.section_by_name(name).ok_or(Problem::Section(name))?;
    let data = section.data().map_err(|_| Problem::Section(name))?;
    // The file's part of a section is padded; its size in memory is exact.
    let exact = usize::try_from(section.size()).map_err(|_| Problem::Section(name))?;
    Ok(data.get(..exact).unwrap_or(data))
}

pub fn root(source: &Source, manifest: &Manifest) -> Found {
    let (wanted, slot) = (manifest.root.data_blocks, Part::RootA.size().unwrap_or_default());
    let fits = manifest.root.bytes <= slot && wanted < manifest.root.bytes / BLOCK as u64;
    if !fits {
        return Ok(Err(Problem::RootSize(wanted)));
    }
    if !source.reaches(Part::RootA.start() + slot) {
        return Ok(Err(Problem::CutShort("the root partition")));
    }
    let area = source.from(Part::RootA.start());
    let mut head = [0; SUPERBLOCK_SIZE];
    area.read(&mut head, wanted * BLOCK as u64)?;
    let found = match Superblock::decode(&head) {
        Ok(superblock) => superblock.data_blocks,
        Err(bad) => return Ok(Err(Problem::Superblock(bad))),
    };
    if found != wanted {
        return Ok(Err(Problem::Blocks { found, wanted }));
    }
    if verity::matches(area, &manifest.root.reference())? {
        Ok(Ok(format!("{wanted} blocks give its root hash")))
    } else {
        Ok(Err(Problem::RootHash(manifest.root.hash)))
    }
}

/// A window that the file system library cannot write through.
struct ReadOnly(Window<std::fs::File>);

impl std::io::Read for ReadOnly {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::io::Write for ReadOnly {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for ReadOnly {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}
