//! The device-mapper control interface, as `linux/dm-ioctl.h` defines it: enough to make one read-only device.
//!
//! Every request is one buffer: `struct dm_ioctl` (312 bytes), and for a table a `struct dm_target_spec` (40 bytes) with
//! its parameters as text. Requests are built by pure functions, so that their bytes can be tested.

#![expect(unsafe_code, reason = "the interface is an ioctl over a buffer of our own layout")]

use std::{os::fd::AsRawFd as _, path::Path};

use nix::errno::Errno;

use super::fs::{self, FsError};

/// Bytes of `struct dm_ioctl`.
const HEADER: usize = 312;
/// Bytes of `struct dm_target_spec`.
const TARGET: usize = 40;
/// `DM_READONLY_FLAG`.
const READ_ONLY: u32 = 1 << 0;
/// Bytes of a name in `struct dm_ioctl`, its final zero included.
const NAME: usize = 128;
/// Bytes of a UUID in `struct dm_ioctl`, its final zero included.
const UUID: usize = 129;
/// Where the device is controlled.
const CONTROL: &str = "/dev/mapper/control";

/// A read-only device to be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its name.
    pub name: &'static str,
    /// Its UUID, told to whoever asks.
    pub uuid: String,
    /// Length in 512-byte sectors.
    pub sectors: u64,
    /// Type of its one target.
    pub target: &'static str,
    /// The target's parameters.
    pub params: String,
}

/// A mapping that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DmError {
    /// Device-mapper is not there.
    #[error("device-mapper cannot be reached")]
    Control(#[source] FsError),
    /// A request was refused.
    #[error("device-mapper refused to {action}")]
    Refused {
        /// Which request.
        action: &'static str,
        /// Why.
        #[source]
        source: Errno,
    },
}

/// The four requests that make a device, with their numbers in the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Version,
    Create,
    Load,
    Resume,
}

mod number {
    //! `_IOWR(0xfd, n, struct dm_ioctl)`.
    use super::HEADER;
    type Header = [u8; HEADER];
    nix::ioctl_readwrite!(version, 0xfd, 0, Header);
    nix::ioctl_readwrite!(create, 0xfd, 3, Header);
    nix::ioctl_readwrite!(suspend, 0xfd, 6, Header);
    nix::ioctl_readwrite!(load, 0xfd, 9, Header);
}

impl Mapping {
    /// Makes the device and gives its path.
    ///
    /// # Errors
    /// If device-mapper is missing or refuses.
    pub fn create(&self) -> Result<String, DmError> {
        let control = fs::open(Path::new(CONTROL)).map_err(DmError::Control)?;
        let mut minor = 0;
        for (request, action) in [
            (Request::Version, "tell its version"),
            (Request::Create, "make a device"),
            (Request::Load, "take the table"),
            (Request::Resume, "start the device"),
        ] {
            let mut buffer = self.encode(request);
            let pointer = buffer.as_mut_ptr().cast();
            let fd = control.as_raw_fd();
            // SAFETY: `pointer` leads to `buffer.len()` >= HEADER writable bytes that live across the call, and the
            // header's `data_size` says that length: the kernel reads and writes no further.
            let answer = unsafe {
                match request {
                    Request::Version => number::version(fd, pointer),
                    Request::Create => number::create(fd, pointer),
                    Request::Load => number::load(fd, pointer),
                    Request::Resume => number::suspend(fd, pointer),
                }
            };
            answer.map_err(|source| DmError::Refused { action, source })?;
            if request == Request::Create {
                minor = device_minor(&buffer);
            }
        }
        Ok(format!("/dev/dm-{minor}"))
    }

    /// A request's bytes, in the machine's byte order.
    fn encode(&self, request: Request) -> Vec<u8> {
        let mut buffer = vec![0; HEADER];
        if request == Request::Load {
            buffer.extend(self.table());
        }
        let flags = if matches!(request, Request::Create | Request::Load) { READ_ONLY } else { 0 };
        let targets = u32::from(request == Request::Load);
        let size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        for (at, value) in [(0, 4), (12, size), (16, HEADER as u32), (20, targets), (28, flags)] {
            put(&mut buffer, at, &u32::to_ne_bytes(value));
        }
        if request != Request::Version {
            put(&mut buffer, 48, cut(self.name, NAME));
        }
        if request == Request::Create {
            put(&mut buffer, 48 + NAME, cut(&self.uuid, UUID));
        }
        buffer
    }

    /// `struct dm_target_spec` and its parameters, padded to eight bytes.
    fn table(&self) -> Vec<u8> {
        let size = (TARGET + self.params.len() + 1).next_multiple_of(8);
        let mut table = vec![0; size];
        put(&mut table, 8, &self.sectors.to_ne_bytes());
        put(&mut table, 20, &u32::try_from(size).unwrap_or(u32::MAX).to_ne_bytes());
        put(&mut table, 24, cut(self.target, 16));
        put(&mut table, TARGET, self.params.as_bytes());
        table
    }
}

fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    buffer[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Text that leaves room for its final zero.
fn cut(text: &str, room: usize) -> &[u8] {
    &text.as_bytes()[..text.len().min(room - 1)]
}

/// The minor number in a header's `dev`, which has the kernel's `huge_encode_dev` form: bits 0-7 and 20-31.
fn device_minor(header: &[u8]) -> u64 {
    let mut dev = [0; 8];
    dev.copy_from_slice(&header[40..48]);
    let dev = u64::from_ne_bytes(dev);
    (dev & 0xff) | ((dev >> 12) & 0xfff_ff00)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        Mapping { name: "root", uuid: "skerry-a".into(), sectors: 16, target: "verity", params: "1 /dev/vda5".into() }
    }

    #[test]
    fn a_header_has_its_fields_in_their_places() {
        let bytes = mapping().encode(Request::Create);
        assert_eq!(bytes.len(), 312);
        assert_eq!(bytes[..12], [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[12..32], [56, 1, 0, 0, 56, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(&bytes[48..53], b"root\0");
        assert_eq!(&bytes[176..185], b"skerry-a\0");
    }

    #[test]
    fn a_table_has_its_target_behind_the_header() {
        let bytes = mapping().encode(Request::Load);
        assert_eq!(bytes.len(), 312 + 56);
        assert_eq!(bytes[12..16], 368u32.to_le_bytes());
        assert_eq!(bytes[20..24], [1, 0, 0, 0]);
        let table = &bytes[312..];
        assert_eq!(table[..8], [0; 8]);
        assert_eq!(table[8..16], [16, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(table[20..24], [56, 0, 0, 0]);
        assert_eq!(&table[24..31], b"verity\0");
        assert_eq!(&table[40..], b"1 /dev/vda5\0\0\0\0\0");
    }

    #[test]
    fn minors_above_255_are_understood() {
        let mut header = vec![0; 312];
        put(&mut header, 40, &((254u64 << 8) | 7).to_ne_bytes());
        assert_eq!(device_minor(&header), 7);
        put(&mut header, 40, &((254u64 << 8) | 5 | (1 << 20)).to_ne_bytes());
        assert_eq!(device_minor(&header), 256 + 5);
    }
}
