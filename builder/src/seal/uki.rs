//! Unified kernel images: systemd's stub with kernel, initial RAM disk and command line as further PE sections.
//!
//! Sources: the PE format specification (COFF file header, optional header PE32+, section table) and the UAPI group's
//! "Unified Kernel Image" specification for the sections' names. All added sections are aligned to 4 KiB in memory and in
//! the file, as some firmware stalls on less.

use crate::report::{Explain, bytes};

/// The largest image that is made; firmware reads it slowly.
pub const BUDGET: u64 = 40 << 20;
const ALIGN: usize = 4096;
const SECTION_HEADER: usize = 40;
/// Initialised data, readable.
const CHARACTERISTICS: u32 = 0x4000_0040;

/// What goes into a unified kernel image.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The root's `os-release`.
    pub osrel: &'a str,
    /// The kernel's command line.
    pub cmdline: &'a str,
    /// The kernel's version.
    pub uname: &'a str,
    /// The kernel, an EFI program.
    pub kernel: &'a [u8],
    /// The initial RAM disk.
    pub initrd: &'a [u8],
}

/// An image that cannot be assembled.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UkiError {
    /// The stub is not what it must be.
    #[error("the boot stub is no PE32+ program: {0}")]
    Stub(&'static str),
    /// It would be too large.
    #[error(
        "the kernel image has {}, more than {} (kernel {}, initial RAM disk {})",
        bytes(*.size), bytes(BUDGET), bytes(*.kernel), bytes(*.initrd)
    )]
    Budget {
        /// Its size.
        size: u64,
        /// The kernel's size.
        kernel: u64,
        /// The initial RAM disk's size.
        initrd: u64,
    },
}

impl Explain for UkiError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Stub(_) => None,
            Self::Budget { .. } => Some("take modules out of the board's `initrd-modules`".to_owned()),
        }
    }
}

/// Where the parts of a stub's headers lie.
struct Headers {
    coff: usize,
    optional: usize,
    table: usize,
    sections: usize,
    size: usize,
}

/// Puts the parts behind a stub. The same input gives the same bytes: no time, no checksum.
///
/// # Errors
/// If the stub is damaged, or the result is over the budget.
pub fn assemble(stub: &[u8], parts: &Parts<'_>) -> Result<Vec<u8>, UkiError> {
    let added: [(&[u8; 8], &[u8]); 5] = [
        (b".osrel\0\0", parts.osrel.as_bytes()),
        (b".cmdline", parts.cmdline.as_bytes()),
        (b".uname\0\0", parts.uname.as_bytes()),
        (b".initrd\0", parts.initrd),
        (b".linux\0\0", parts.kernel),
    ];
    let (mut image, headers) = with_room(stub, added.len())?;
    let mut address = end_of_memory(&image, &headers)?;
    let mut data_size = u32_at(&image, headers.optional + 8)? as usize;
    for (at, (name, data)) in added.iter().enumerate() {
        image.resize(up(image.len()), 0);
        address = up(address);
        let header = headers.table + (headers.sections + at) * SECTION_HEADER;
        image[header..header + 8].copy_from_slice(*name);
        let fields = [data.len(), address, up(data.len()), image.len()];
        for (field, value) in fields.into_iter().enumerate() {
            put_u32(&mut image, header + 8 + field * 4, value)?;
        }
        image[header + 24..header + 36].fill(0);
        put_u32(&mut image, header + 36, CHARACTERISTICS as usize)?;
        image.extend_from_slice(data);
        address += data.len();
        data_size += up(data.len());
    }
    image.resize(up(image.len()), 0);
    let count = u16::try_from(headers.sections + added.len()).map_err(|_| UkiError::Stub("too many sections"))?;
    image[headers.coff + 2..headers.coff + 4].copy_from_slice(&count.to_le_bytes());
    put_u32(&mut image, headers.coff + 4, 0)?;
    put_u32(&mut image, headers.optional + 8, data_size)?;
    put_u32(&mut image, headers.optional + 56, up(address))?;
    put_u32(&mut image, headers.optional + 64, 0)?;
    check_budget(&image, parts)?;
    Ok(image)
}

fn check_budget(image: &[u8], parts: &Parts<'_>) -> Result<(), UkiError> {
    let [size, kernel, initrd] = [image.len(), parts.kernel.len(), parts.initrd.len()].map(|len| len as u64);
    if size > BUDGET { Err(UkiError::Budget { size, kernel, initrd }) } else { Ok(()) }
}

/// The stub with room for more section headers: what follows its headers is moved back in the file, not in memory.
fn with_room(stub: &[u8], more: usize) -> Result<(Vec<u8>, Headers), UkiError> {
    let headers = Headers::of(stub)?;
    let table_end = headers.table + (headers.sections + more) * SECTION_HEADER;
    let wanted = if table_end > headers.size { up(table_end) } else { headers.size };
    let moved = wanted - headers.size;
    let mut image = stub.get(..headers.size).ok_or(UkiError::Stub("cut short"))?.to_vec();
    image.resize(wanted, 0);
    image.extend_from_slice(&stub[headers.size..]);
    for section in 0..headers.sections {
        let header = headers.table + section * SECTION_HEADER;
        let (size, address, file) =
            (u32_at(stub, header + 16)?, u32_at(stub, header + 12)?, u32_at(stub, header + 20)?);
        if file as usize + size as usize > stub.len() {
            return Err(UkiError::Stub("cut short"));
        }
        if (address as usize) < wanted {
            return Err(UkiError::Stub("no room for more sections"));
        }
        if file != 0 {
            put_u32(&mut image, header + 20, file as usize + moved)?;
        }
    }
    put_u32(&mut image, headers.optional + 60, wanted)?;
    // A symbol table would be found in the wrong place now; a loader has no use for it.
    put_u32(&mut image, headers.coff + 8, 0)?;
    put_u32(&mut image, headers.coff + 12, 0)?;
    Ok((image, headers))
}

/// Where the last section of a stub ends in memory.
fn end_of_memory(image: &[u8], headers: &Headers) -> Result<usize, UkiError> {
    let mut end = 0;
    for section in 0..headers.sections {
        let header = headers.table + section * SECTION_HEADER;
        end = end.max(u32_at(image, header + 8)? as usize + u32_at(image, header + 12)? as usize);
    }
    Ok(end)
}

impl Headers {
    fn of(stub: &[u8]) -> Result<Self, UkiError> {
        if stub.get(..2) != Some(b"MZ") {
            return Err(UkiError::Stub("it does not begin with MZ"));
        }
        let pe = u32_at(stub, 0x3c)? as usize;
        if stub.get(pe..pe.saturating_add(4)) != Some(b"PE\0\0") {
            return Err(UkiError::Stub("it has no PE header"));
        }
        let coff = pe + 4;
        let optional = coff + 20;
        if stub.get(optional..optional + 2) != Some(&[0x0b, 0x02]) {
            return Err(UkiError::Stub("its optional header is not PE32+"));
        }
        let table = optional + u16_at(stub, coff + 16)?;
        let sections = u16_at(stub, coff + 2)?;
        let size = u32_at(stub, optional + 60)? as usize;
        if size > stub.len() || table + sections * SECTION_HEADER > size {
            return Err(UkiError::Stub("cut short"));
        }
        Ok(Self { coff, optional, table, sections, size })
    }
}

const fn up(size: usize) -> usize {
    size.next_multiple_of(ALIGN)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<usize, UkiError> {
    let field = bytes.get(at..at + 2).ok_or(UkiError::Stub("cut short"))?;
    Ok(usize::from(field[0]) | usize::from(field[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, UkiError> {
    let field = bytes.get(at..at.saturating_add(4)).ok_or(UkiError::Stub("cut short"))?;
    Ok(field.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

fn put_u32(bytes: &mut [u8], at: usize, value: usize) -> Result<(), UkiError> {
    let value = u32::try_from(value).map_err(|_| UkiError::Stub("larger than 4 GiB"))?;
    let field = bytes.get_mut(at..at + 4).ok_or(UkiError::Stub("cut short"))?;
    field.copy_from_slice(&value.to_le_bytes());
    Ok(())
}
