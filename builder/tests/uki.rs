//! Unified kernel images, read back by another reader: sections where firmware wants them, contents exact, no stub panics.

#![expect(clippy::unwrap_used, reason = "a test's failure is its message")]

use object::{
    LittleEndian as LE, Object as _, ObjectSection as _,
    pe::ImageSectionHeader,
    read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64},
};
use proptest::prelude::*;
use skerry::seal::uki::{Parts, UkiError, assemble};
use skerry_formats::arch::Arch;

const PAGE: u32 = 4096;
/// Where the PE header lies, as in systemd's stub.
const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const OPTIONAL_SIZE: usize = 240;

/// An EFI program that does nothing: DOS header, PE headers, sections of these sizes, each a byte of its own.
fn stub(arch: Arch, file_align: usize, sections: &[usize]) -> Vec<u8> {
    let machine: u16 = match arch {
        Arch::Amd64 => 0x8664,
        Arch::Arm64 => 0xaa64,
    };
    let table = OPTIONAL + OPTIONAL_SIZE;
    let headers = (table + sections.len() * 40).next_multiple_of(file_align);
    let mut bytes = vec![0; headers];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, b"MZ");
    put(0x3c, &(PE as u32).to_le_bytes());
    put(PE, b"PE\0\0");
    put(PE + 4, &machine.to_le_bytes());
    put(PE + 6, &(sections.len() as u16).to_le_bytes());
    put(PE + 20, &(OPTIONAL_SIZE as u16).to_le_bytes());
    put(PE + 22, &0x0206_u16.to_le_bytes());
    put(OPTIONAL, &0x020b_u16.to_le_bytes());
    put(OPTIONAL + 32, &PAGE.to_le_bytes());
    put(OPTIONAL + 36, &(file_align as u32).to_le_bytes());
    put(OPTIONAL + 60, &(headers as u32).to_le_bytes());
    put(OPTIONAL + 68, &10_u16.to_le_bytes());
    put(OPTIONAL + 108, &16_u32.to_le_bytes());
    let (mut address, mut at) = (2 * PAGE as usize, headers);
    for (number, size) in sections.iter().enumerate() {
        let header = table + number * 40;
        put(header, format!(".s{number}").as_bytes());
        let raw = size.next_multiple_of(file_align);
        for (field, value) in [*size, address, raw, at].into_iter().enumerate() {
            put(header + 8 + field * 4, &(value as u32).to_le_bytes());
        }
        put(header + 36, &0x6000_0020_u32.to_le_bytes());
        address += size.next_multiple_of(PAGE as usize).max(PAGE as usize);
        at += raw;
    }
    put(OPTIONAL + 56, &(address as u32).to_le_bytes());
    for (number, size) in sections.iter().enumerate() {
        bytes.resize(bytes.len() + size, number as u8 + 1);
        bytes.resize(bytes.len().next_multiple_of(file_align), 0);
    }
    bytes
}

fn parts<'a>(kernel: &'a [u8], initrd: &'a [u8], cmdline: &'a str) -> Parts<'a> {
    Parts { osrel: "ID=skerry\n", cmdline, uname: "6.12.0", kernel, initrd }
}

/// A section's place in memory and in the file, as pairs of start and size.
fn places(header: &ImageSectionHeader) -> [(u32, u32); 2] {
    let memory = (header.virtual_address.get(LE), header.virtual_size.get(LE));
    [memory, (header.pointer_to_raw_data.get(LE), header.size_of_raw_data.get(LE))]
}

/// All that must hold for an image made of a stub of these sections and these parts.
fn holds(image: &[u8], own: &[usize], parts: &Parts<'_>) {
    let file = PeFile64::parse(image).unwrap();
    let added: [(&str, &[u8]); 5] = [
        (".osrel", parts.osrel.as_bytes()),
        (".cmdline", parts.cmdline.as_bytes()),
        (".uname", parts.uname.as_bytes()),
        (".initrd", parts.initrd),
        (".linux", parts.kernel),
    ];
    let contents: Vec<Vec<u8>> = file.sections().map(|section| section.data().unwrap().to_vec()).collect();
    let names: Vec<String> = file.sections().map(|section| section.name().unwrap().to_owned()).collect();
    for (number, size) in own.iter().enumerate() {
        assert_eq!(
            (names[number].as_str(), &contents[number]),
            (&*format!(".s{number}"), &vec![number as u8 + 1; *size])
        );
    }
    assert_eq!(names[own.len()..], added.map(|(name, _)| name));
    for ((name, wanted), got) in added.iter().zip(&contents[own.len()..]) {
        assert!(got == wanted, "`{name}` differs");
    }
    let headers: Vec<_> = file.section_table().iter().map(places).collect();
    for [memory, raw] in &headers[own.len()..] {
        assert_eq!([memory.0 % PAGE, raw.0 % PAGE, raw.1 % PAGE], [0; 3]);
    }
    let optional = file.nt_headers().optional_header();
    for space in 0..2 {
        let mut end = optional.size_of_headers();
        for place in headers.iter().map(|places| places[space]).filter(|place| place.1 > 0) {
            assert!(place.0 >= end, "sections overlap: {headers:x?}");
            end = place.0 + place.1;
        }
        match space {
            0 => assert!(optional.size_of_image() >= end && optional.size_of_image() % PAGE == 0),
            _ => assert_eq!(image.len(), end.next_multiple_of(PAGE) as usize),
        }
    }
    let ends = headers.iter().map(|[memory, _]| memory.0 + memory.1).max().unwrap_or_default();
    assert_eq!(optional.size_of_image(), ends.next_multiple_of(PAGE));
    assert_eq!(optional.check_sum(), 0);
    assert_eq!(file.nt_headers().file_header().time_date_stamp.get(LE), 0);
}

#[test]
fn both_architectures_keep_their_machine_and_every_section() {
    for arch in Arch::ALL {
        let own = [5000, 300, 4096];
        let parts = parts(&[0x4d; 70_001], &[7; 4096], "root=x ro");
        let image = assemble(&stub(arch, 512, &own), &parts).unwrap();
        holds(&image, &own, &parts);
        let machine = PeFile64::parse(&*image).unwrap().architecture();
        let wanted = match arch {
            Arch::Amd64 => object::Architecture::X86_64,
            Arch::Arm64 => object::Architecture::Aarch64,
        };
        assert_eq!(machine, wanted);
    }
}

#[test]
fn the_same_parts_give_the_same_bytes() {
    let stub = stub(Arch::Amd64, 512, &[100]);
    let parts = parts(b"kernel", b"initrd", "a");
    assert_eq!(assemble(&stub, &parts), assemble(&stub, &parts));
}

#[test]
fn an_image_over_the_budget_names_its_parts() {
    let kernel = vec![0; 30 << 20];
    let initrd = vec![0; 11 << 20];
    let error = assemble(&stub(Arch::Amd64, 512, &[100]), &parts(&kernel, &initrd, "a")).unwrap_err();
    assert_eq!(
        skerry::report::print_error(&error),
        "error: the kernel image has 41.0 MiB, more than 40.0 MiB (kernel 30.0 MiB, initial RAM disk 11.0 MiB)\n  \
         hint: take modules out of the board's `initrd-modules`\n"
    );
}

#[test]
fn a_stub_cut_short_anywhere_is_an_error() {
    let whole = stub(Arch::Arm64, 512, &[700, 300]);
    for length in 0..whole.len() {
        let result = assemble(&whole[..length], &parts(b"k", b"i", "c"));
        assert!(matches!(result, Err(UkiError::Stub(_))), "{length} bytes of {} are a stub", whole.len());
    }
}

#[test]
fn foreign_programs_are_named() {
    let error = |at: usize, value: u8| {
        let mut bytes = stub(Arch::Amd64, 512, &[100]);
        bytes[at] = value;
        assemble(&bytes, &parts(b"k", b"i", "c")).unwrap_err()
    };
    assert_eq!(error(0, b'E'), UkiError::Stub("it does not begin with MZ"));
    assert_eq!(error(PE, b'N'), UkiError::Stub("it has no PE header"));
    assert_eq!(error(OPTIONAL + 1, 1), UkiError::Stub("its optional header is not PE32+"));
    // Its one section is mapped right behind the headers: further section headers would reach into it.
    assert_eq!(error(OPTIONAL + OPTIONAL_SIZE + 13, 1), UkiError::Stub("no room for more sections"));
    // An optional header without the fields that are to be set.
    assert!(matches!(error(PE + 20, 64), UkiError::Stub(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_sizes_of_sections_hold(
        own in prop::collection::vec(1..9000_usize, 1..12),
        sizes in (0..20_000_usize, 0..20_000_usize),
        cmdline in "[ -~]{0,5000}",
        aligned in any::<bool>(),
    ) {
        let stub = stub(Arch::Amd64, if aligned { 4096 } else { 512 }, &own);
        let (kernel, initrd) = (vec![1; sizes.0], vec![2; sizes.1]);
        let parts = parts(&kernel, &initrd, &cmdline);
        holds(&assemble(&stub, &parts).unwrap(), &own, &parts);
    }

    #[test]
    fn damaged_headers_never_panic(
        damage in prop::collection::vec((0..OPTIONAL + OPTIONAL_SIZE + 80, any::<u8>()), 1..12),
        length in 0..2600_usize,
    ) {
        let mut bytes = stub(Arch::Amd64, 512, &[700, 300]);
        for (at, value) in damage {
            bytes[at] = value;
        }
        bytes.truncate(length);
        if let Ok(image) = assemble(&bytes, &parts(b"k", b"i", "c")) {
            prop_assert!(image.len() > bytes.len());
        }
    }

    #[test]
    fn noise_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(assemble(&bytes, &parts(b"k", b"i", "c")).is_err());
        if bytes.len() > 0x44 {
            bytes[..2].copy_from_slice(b"MZ");
            bytes[0x3c..0x40].copy_from_slice(&[0x40, 0, 0, 0]);
            bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
            prop_assert!(matches!(assemble(&bytes, &parts(b"k", b"i", "c")), Err(UkiError::Stub(_))));
        }
    }
}
