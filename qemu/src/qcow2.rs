//! A new qcow2 file over a raw image: reads fall through to the image, writes stay in the file.
//!
//! Version 3 of the format as QEMU's `docs/interop/qcow2.txt` defines it, big-endian: cluster 0 the header with its
//! extension and the image's path, cluster 1 the table of reference counts, cluster 2 its only block, then the first-level
//! table, all zero.

use std::{io, os::unix::ffi::OsStrExt as _, path::Path};

const CLUSTER_BITS: u32 = 16;
const CLUSTER: u64 = 1 << CLUSTER_BITS;
const HEADER: usize = 104;
const BACKING_FORMAT: u32 = 0xE279_2ACA;
/// Bytes that one entry of the first-level table maps: a cluster of second-level entries, a cluster each.
const PER_ENTRY: u64 = CLUSTER / 8 * CLUSTER;

/// The bytes of an empty overlay of `size` bytes over the raw image at the absolute path `backing`.
///
/// # Errors
/// If the path is longer than the format's 1023 bytes, or the size above 4 TiB.
pub fn overlay(backing: &Path, size: u64) -> io::Result<Vec<u8>> {
    let name = backing.as_os_str().as_bytes();
    let entries = size.div_ceil(PER_ENTRY);
    if name.len() > 1023 || !backing.is_absolute() {
        return Err(io::Error::other("a backing file's path must be absolute and at most 1023 bytes long"));
    }
    if entries * 8 > CLUSTER {
        return Err(io::Error::other("a disk may have at most 4 TiB"));
    }
    let mut file = vec![0; 4 * CLUSTER as usize];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        file[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let name_at = (HEADER + 8 + 8 + 8) as u64;
    put(b"QFI\xfb");
    put(&3u32.to_be_bytes());
    put(&name_at.to_be_bytes());
    put(&(name.len() as u32).to_be_bytes());
    put(&CLUSTER_BITS.to_be_bytes());
    put(&size.to_be_bytes());
    put(&0u32.to_be_bytes()); // not encrypted
    put(&(entries as u32).to_be_bytes());
    put(&(3 * CLUSTER).to_be_bytes()); // first-level table
    put(&CLUSTER.to_be_bytes()); // table of reference counts
    put(&1u32.to_be_bytes());
    put(&[0; 12 + 24]); // no snapshots; no feature bits
    put(&4u32.to_be_bytes()); // reference counts of 16 bits
    put(&(HEADER as u32).to_be_bytes());
    put(&BACKING_FORMAT.to_be_bytes());
    put(&3u32.to_be_bytes());
    put(b"raw\0\0\0\0\0"); // padded to 8
    put(&[0; 8]); // end of extensions
    put(name);
    let cluster = CLUSTER as usize;
    file[cluster..cluster + 8].copy_from_slice(&(2 * CLUSTER).to_be_bytes());
    for used in 0..4 {
        file[2 * cluster + 2 * used + 1] = 1;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_lie_where_the_format_says() {
        let file = overlay(Path::new("/images/a.img"), 8 << 30).unwrap();
        let word = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_be_bytes(file[at..at + 8].try_into().unwrap());
        assert_eq!((&file[..4], word(4)), (b"QFI\xfb".as_slice(), 3));
        assert_eq!(&file[long(8) as usize..][..word(16) as usize], b"/images/a.img");
        assert_eq!((word(20), long(24), word(36)), (16, 8 << 30, 16));
        assert_eq!((long(40), long(48), word(56)), (3 * CLUSTER, CLUSTER, 1));
        assert_eq!((word(96), word(100), word(104)), (4, 104, BACKING_FORMAT));
    }

    #[test]
    fn relative_and_overlong_backing_paths_are_refused() {
        assert!(overlay(Path::new("a.img"), 1 << 20).is_err());
        assert!(overlay(Path::new(&format!("/{}", "x".repeat(1023))), 1 << 20).is_err());
        assert!(overlay(Path::new("/a"), 5 << 40).is_err());
    }
}
