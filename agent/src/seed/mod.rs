//! Where seeds come from, and what they add up to.
//!
//! Sources in fixed order, the later winning per key: the boot image, the ESP, a NoCloud medium. Each gives raw bytes;
//! [`merge::merge`] makes one layer of them, without touching anything.

pub mod medium;
pub mod merge;
pub mod source_esp;
pub mod source_image;
pub mod source_nocloud;

use skerry_formats::{layout::Part, seed::Source};

use crate::{disk::boot::BootDisk, sys::block::Device};
use medium::Medium;

/// Where early boot puts the seeds that were baked into the boot image.
pub const IMAGE_SEEDS: &str = "/run/skerry/seeds/image";

/// One file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSeed {
    /// Where it comes from, in words.
    pub source: Source,
    /// What it is read as.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A seed of our own: the first line need not say so.
    Own,
    /// NoCloud's user-data.
    UserData,
    /// NoCloud's meta-data.
    MetaData,
    /// NoCloud's network-config.
    NetworkConfig,
}

/// A source that is there and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which source.
    pub source: Source,
    /// Why.
    pub why: String,
}

/// All that the sources hold now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Files in the order of their sources.
    pub seeds: Vec<RawSeed>,
    /// Sources that could not be read.
    pub unreadable: Vec<Unreadable>,
}

impl Gathered {
    /// Whether a NoCloud medium was among the sources.
    #[must_use]
    pub fn has_medium(&self) -> bool {
        self.seeds.iter().any(|seed| seed.kind == Kind::UserData)
    }

    fn take(&mut self, source: Source, read: Result<Vec<RawSeed>, String>) {
        match read {
            Ok(seeds) => self.seeds.extend(seeds),
            Err(why) => self.unreadable.push(Unreadable { source, why }),
        }
    }
}

/// Reads all sources.
#[must_use]
pub fn gather(boot: Option<&BootDisk>, devices: &[Device]) -> Gathered {
    let mut gathered = Gathered::default();
    gathered.take(Source::new("seeds of the boot image"), source_image::read());
    if let Some(esp) = boot.and_then(|boot| boot.parts.get(&Part::Esp)) {
        gathered.take(Source::new("seed.yaml on the ESP"), source_esp::read(esp));
    }
    let foreign = devices.iter().filter(|device| boot.is_none_or(|boot| !boot.owns(device)));
    for medium in foreign.filter_map(Medium::look).filter(Medium::is_nocloud) {
        gathered.take(Source::new(format!("the medium `{}`", medium.name())), source_nocloud::read(&medium));
    }
    gathered
}
