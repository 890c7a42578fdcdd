//! A suite's signed list of indexes: `InRelease`.

use std::collections::BTreeMap;

use skerry_formats::digest::Digest;
use time::{
    OffsetDateTime,
    format_description::well_known::{Rfc2822, Rfc3339},
};

use super::{
    deb822::{self, Field},
    keyring::{KeyError, Keyring, Signed},
    suite::Suite,
};

/// No `InRelease` is larger; the largest seen has 250 kB.
pub const LARGEST: u64 = 4 << 20;

/// A file's size and digest, as a list of indexes gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Size in bytes.
    pub size: u64,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// What is asked of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The suite it must be of.
    pub suite: Suite,
    /// Seconds since 1970, to see whether it expired.
    pub now: u64,
    /// Seconds since 1970; an older release is a replay of what was already superseded.
    pub not_before: u64,
}

/// A suite's state, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The suite.
    pub suite: Suite,
    /// When it was made, in seconds since 1970.
    pub date: u64,
    /// Digest of the whole `InRelease`.
    pub digest: Digest,
    /// Size of the whole `InRelease`.
    pub size: u64,
    /// All listed files, by their path from the suite's folder.
    pub files: BTreeMap<String, Listed>,
}

/// A release that cannot be trusted or used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It is no UTF-8 text.
    #[error("not text")]
    Text,
    /// Its signature.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is of another suite.
    #[error("it is of `{found}`, not of `{wanted}`")]
    Codename {
        /// What it says.
        found: String,
        /// What was asked for.
        wanted: Suite,
    },
    /// Its time is over.
    #[error("it expired at {until}, now is {now}")]
    Expired {
        /// The end of its time.
        until: String,
        /// Now.
        now: String,
    },
    /// It is older than what was seen before.
    #[error("it was made at {date}, but the lock already knows a newer one, made at {known}")]
    Replayed {
        /// When it was made.
        date: String,
        /// When the known one was made.
        known: String,
    },
    /// A field is missing or not understood.
    #[error("its field `{0}` is missing or not understood")]
    Field(&'static str),
    /// A file is not listed.
    #[error("it does not list `{0}`")]
    NotListed(String),
}

/// Checks a clear-signed `InRelease` and reads it.
///
/// # Errors
/// If no known key signed it, it is of another suite, expired, older than what is known, or broken.
pub fn verify(bytes: &[u8], keyring: &Keyring, expect: &Expect) -> Result<Release, ReleaseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReleaseError::Text)?;
    let signed = keyring.verify(text)?;
    let listed = Listed { size: bytes.len() as u64, digest: Digest::of(bytes) };
    read(&signed, listed, expect)
}

impl Release {
    /// A listed file.
    ///
    /// # Errors
    /// If it is not listed.
    pub fn file(&self, path: &str) -> Result<Listed, ReleaseError> {
        self.files.get(path).copied().ok_or_else(|| ReleaseError::NotListed(path.to_owned()))
    }
}

fn read(signed: &Signed, whole: Listed, expect: &Expect) -> Result<Release, ReleaseError> {
    let fields = deb822::fields(signed.text()).map_err(|_| ReleaseError::Text)?;
    let codename = deb822::value(&fields, "Codename").ok_or(ReleaseError::Field("Codename"))?;
    if codename != expect.suite.codename() {
        return Err(ReleaseError::Codename { found: codename.to_owned(), wanted: expect.suite });
    }
    let date = date_of(&fields, "Date")?.ok_or(ReleaseError::Field("Date"))?;
    if let Some(until) = date_of(&fields, "Valid-Until")?.filter(|until| *until < expect.now) {
        return Err(ReleaseError::Expired { until: time_text(until), now: time_text(expect.now) });
    }
    if date < expect.not_before {
        return Err(ReleaseError::Replayed { date: time_text(date), known: time_text(expect.not_before) });
    }
    let list = deb822::value(&fields, "SHA256").ok_or(ReleaseError::Field("SHA256"))?;
    let files = list.lines().map(|line| listed(line).ok_or(ReleaseError::Field("SHA256"))).collect::<Result<_, _>>()?;
    Ok(Release { suite: expect.suite, date, digest: whole.digest, size: whole.size, files })
}

fn listed(line: &str) -> Option<(String, Listed)> {
    let mut words = line.split_whitespace();
    let (digest, size, path) = (words.next()?, words.next()?, words.next()?);
    let listed = Listed { size: size.parse().ok()?, digest: digest.parse().ok()? };
    words.next().is_none().then(|| (path.to_owned(), listed))
}

fn date_of(fields: &[Field<'_>], name: &'static str) -> Result<Option<u64>, ReleaseError> {
    let Some(text) = deb822::value(fields, name) else { return Ok(None) };
    let text = text.replace("UTC", "+0000");
    let date = OffsetDateTime::parse(&text, &Rfc2822).map_err(|_| ReleaseError::Field(name))?;
    u64::try_from(date.unix_timestamp()).map(Some).map_err(|_| ReleaseError::Field(name))
}

/// Seconds since 1970 as `2026-09-12T07:55:41Z`.
#[must_use]
pub fn time_text(seconds: u64) -> String {
    let date = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{seconds} s after 1970"))
}

/// The reverse of [`time_text`].
#[must_use]
pub fn time_from_text(text: &str) -> Option<u64> {
    u64::try_from(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp()).ok()
}
