//! Names in an initial RAM disk: `newc` cpio archives, one behind the other, zeros between (the kernel's buffer format).

const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";

/// The names of all members, or nothing if the bytes are no archives.
pub fn names(bytes: &[u8]) -> Option<Vec<String>> {
    let (mut names, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == 0 {
            at += 1;
            continue;
        }
        let header = bytes.get(at..at.checked_add(HEADER)?)?;
        let (size, name_size) = (field(header, 6)?, field(header, 11)?);
        let name_end = (at + HEADER).checked_add(name_size)?;
        let name = bytes.get(at + HEADER..name_end)?.strip_suffix(b"\0")?;
        if !header.starts_with(MAGIC) {
            return None;
        }
        at = name_end.checked_next_multiple_of(4)?.checked_add(size)?.checked_next_multiple_of(4)?;
        if name != b"TRAILER!!!" {
            names.push(String::from_utf8(name.to_vec()).ok()?);
        }
    }
    Some(names)
}

/// A header's number: eight hexadecimal digits.
fn field(header: &[u8], number: usize) -> Option<usize> {
    let digits = std::str::from_utf8(header.get(6 + number * 8..14 + number * 8)?).ok()?;
    usize::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compose::{BakedSeed, seed_cpio};

    #[test]
    fn seeds_behind_other_archives_are_found() {
        let seed = BakedSeed { name: "10-role.yaml".to_owned(), text: "#cloud-config\n".to_owned() };
        let mut bytes = seed_cpio(&[]).unwrap();
        bytes.extend([0; 8]);
        bytes.extend(seed_cpio(&[seed]).unwrap());
        assert_eq!(names(&bytes).unwrap(), ["seeds", "seeds", "seeds/10-role.yaml"]);
        assert_eq!(names(&bytes[..bytes.len() - 250]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
            let _either = names(&[MAGIC, &bytes].concat());
        }
    }
}
