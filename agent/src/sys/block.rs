//! Block devices as `/sys` tells them.

use std::path::{Path, PathBuf};

use super::fs;

const CLASS: &str = "/sys/class/block";

/// A block device: a whole disk or a partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// The kernel's name: `vda`, `vda5`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// A number that is never given twice while the kernel runs: a medium that was changed has another one.
    pub sequence: u64,
    /// Number of the partition; `None` for a whole disk.
    pub partition: Option<u32>,
    /// The whole disk that a partition is on.
    pub parent: Option<String>,
}

impl Device {
    /// The device's node.
    #[must_use]
    pub fn node(&self) -> PathBuf {
        Path::new("/dev").join(&self.name)
    }
}

/// Every block device with something on it, without those that live in memory or are mapped from others.
#[must_use]
pub fn devices() -> Vec<Device> {
    let folders = fs::list(Path::new(CLASS)).unwrap_or_default();
    folders.iter().filter_map(|folder| device(folder)).filter(|device| device.size > 0).collect()
}

fn device(folder: &Path) -> Option<Device> {
    let name = folder.file_name()?.to_str()?.to_owned();
    if ["dm-", "loop", "ram", "zram"].iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let number = |attribute: &str| fs::attribute(&folder.join(attribute))?.parse::<u64>().ok();
    let partition = number("partition").and_then(|number| u32::try_from(number).ok());
    let real = fs::canonical(folder).ok()?;
    let parent = partition.and_then(|_| Some(real.parent()?.file_name()?.to_str()?.to_owned()));
    let sequence = number("diskseq").or_else(|| fs::attribute(&real.parent()?.join("diskseq"))?.parse().ok());
    Some(Device { name, size: number("size")? * 512, sequence: sequence.unwrap_or(0), partition, parent })
}
