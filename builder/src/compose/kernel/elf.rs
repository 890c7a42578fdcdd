//! The `.modinfo` section of a kernel module: `key=value` strings, each ended by a zero byte.

/// Bytes of the section of a 64-bit little-endian ELF file, if it has one.
fn section<'a>(elf: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    if elf.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let table = usize::try_from(number(elf, 0x28, 8)?).ok()?;
    let each = usize::try_from(number(elf, 0x3a, 2)?).ok()?;
    let count = usize::try_from(number(elf, 0x3c, 2)?).ok()?;
    let names = usize::try_from(number(elf, 0x3e, 2)?).ok()?;
    let header = |index: usize| elf.get(table.checked_add(index.checked_mul(each)?)?..);
    let bytes = |header: &[u8]| {
        let start = usize::try_from(number(header, 0x18, 8)?).ok()?;
        let size = usize::try_from(number(header, 0x20, 8)?).ok()?;
        elf.get(start..start.checked_add(size)?)
    };
    let names = bytes(header(names)?)?;
    (0..count).filter_map(header).find_map(|header| {
        let name = names.get(usize::try_from(number(header, 0, 4)?).ok()?..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        (name == wanted.as_bytes()).then(|| bytes(header)).flatten()
    })
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(size)?)?;
    Some(field.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// The values of a key, in order; `None` if this is no module.
pub fn values(elf: &[u8], key: &str) -> Option<Vec<String>> {
    let strings = section(elf, ".modinfo")?.split(|byte| *byte == 0);
    let value = |string: &[u8]| {
        let rest = string.strip_prefix(key.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(rest).into_owned())
    };
    Some(strings.filter_map(value).collect())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The smallest ELF file that passes for a module.
    pub fn module(modinfo: &str) -> Vec<u8> {
        let info = modinfo.replace(' ', "\0");
        let names = b"\0.modinfo\0";
        let mut elf = vec![0; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let table = 64 + info.len() + names.len();
        elf[0x28..0x30].copy_from_slice(&(table as u64).to_le_bytes());
        elf[0x3a] = 64;
        elf[0x3c] = 2;
        elf.extend_from_slice(info.as_bytes());
        elf.extend_from_slice(names);
        for (name, start, size) in [(1u8, 64, info.len()), (0, 64 + info.len(), names.len())] {
            let mut header = [0; 64];
            header[0] = name;
            header[0x18..0x20].copy_from_slice(&(start as u64).to_le_bytes());
            header[0x20..0x28].copy_from_slice(&(size as u64).to_le_bytes());
            elf.extend_from_slice(&header);
        }
        elf[0x3e] = 1;
        elf
    }

    #[test]
    fn dependencies_are_read() {
        let elf = module("license=GPL depends=dm-mod,dm-bufio name=dm_verity");
        assert_eq!(values(&elf, "depends"), Some(vec!["dm-mod,dm-bufio".to_owned()]));
        assert_eq!(values(&elf, "softdep"), Some(vec![]));
    }

    proptest::proptest! {
        #[test]
        fn damaged_modules_are_never_a_panic(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let mut elf = module("depends=a,b name=c");
            if let Some(target) = elf.get_mut(at) {
                *target = byte;
            }
            elf.truncate(cut);
            let _any = values(&elf, "depends");
        }
    }
}
