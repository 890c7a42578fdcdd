//! What an image is: the document that is signed and lies beside it as `<image>.manifest.json`; docs/manifest.md.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    arch::Arch, cmdline::RootRef, digest::Digest, envelope::Payload, name::Name, role::Role, text_type,
    version::Version,
};

/// What an image is and what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this document's form.
    pub format: One,
    /// The product.
    pub product: Name,
    /// The product's version.
    pub version: Version,
    /// The board that it boots on.
    pub board: Name,
    /// The board's architecture.
    pub arch: Arch,
    /// The profile of its recipe.
    pub profile: Name,
    /// The role that is baked in, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Version of the disk layout.
    pub layout: One,
    /// The root file system.
    pub root: Root,
    /// The unified kernel image of slot A.
    pub uki: Blob,
    /// The raw disk image.
    pub image: Blob,
    /// Digest of everything that went in.
    pub inputs: Digest,
    /// Digest of the root's packages as the lock lists them.
    pub packages: Digest,
    /// Packages that are not as locked, a line each.
    pub substitutions: Vec<Line>,
    /// Versions of the components.
    pub components: BTreeMap<Name, Version>,
}

/// The root file system with its hash tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// dm-verity root hash.
    pub hash: Digest,
    /// 4096-byte blocks of data, before the hash tree.
    pub data_blocks: u64,
    /// Bytes with the hash tree.
    pub bytes: u64,
}

/// A run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// How many.
    pub bytes: u64,
    /// Their digest.
    pub sha256: Digest,
}

/// The version number 1, the only one there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct One;

/// One line of text for people, of at most 300 bytes, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line(String);

/// A value that a manifest cannot hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadValue {
    /// A later form, or none.
    #[error("version {0} is not known here; known: 1")]
    Form(u32),
    /// Not one line.
    #[error("not one line of at most 300 bytes: `{0}`")]
    Line(String),
}

text_type!(Line);

impl Payload for Manifest {
    const CONTEXT: &'static str = "skerry/image-manifest/v1";
}

impl Root {
    /// How a kernel's command line names it.
    #[must_use]
    pub const fn reference(&self) -> RootRef {
        RootRef { root_hash: self.hash, data_blocks: self.data_blocks }
    }
}

impl TryFrom<u32> for One {
    type Error = BadValue;

    fn try_from(number: u32) -> Result<Self, BadValue> {
        if number == 1 { Ok(Self) } else { Err(BadValue::Form(number)) }
    }
}

impl From<One> for u32 {
    fn from(_: One) -> Self {
        1
    }
}

impl FromStr for Line {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let fits = (1..=300).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadValue::Line(text.chars().take(80).collect())) }
    }
}
