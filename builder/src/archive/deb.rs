//! Debian's package format, deb(5): an `ar` archive of `debian-binary`, `control.tar` and `data.tar`, read as a stream.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
};

use skerry_formats::digest::{Digest, Hasher};

use crate::fsx::{self, FsError};

/// A package's control archive may unpack to this much; the largest seen has 1.3 MB.
const LARGEST_CONTROL: u64 = 64 << 20;
/// What `dpkg` would run, or act on, when the package is installed; `prerm`, `postrm` and `config` matter only to removal
/// and to questions, of which there are none.
const SCRIPTS: [&str; 3] = ["preinst", "postinst", "triggers"];

/// What a package says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The control stanza, verbatim.
    pub stanza: String,
    /// Its scripts and triggers that matter to installing.
    pub scripts: Scripts,
}

/// The maintainer scripts and triggers of a package, by file name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts(BTreeMap<String, String>);

/// A package that cannot be taken apart.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// It cannot be opened.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// It ends early or its compression is damaged.
    #[error("cannot read it to the end")]
    Read(#[from] io::Error),
    /// It is no Debian package.
    #[error("not a Debian package: {why}")]
    Format {
        /// What is wrong.
        why: &'static str,
    },
}

impl Scripts {
    /// Scripts by file name.
    #[must_use]
    pub const fn new(files: BTreeMap<String, String>) -> Self {
        Self(files)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// File names and texts, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The same with a text replaced everywhere, as the part of a kernel package's name that changes with each release.
    #[must_use]
    pub fn with_replaced(&self, from: &str, to: &str) -> Self {
        Self(self.0.iter().map(|(name, text)| (name.clone(), text.replace(from, to))).collect())
    }

    /// The digest over all names and texts, without what changes from version to version and means nothing.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for (name, text) in &self.0 {
            let text = plain(name, text);
            hasher.update(format!("{name} {}\n", text.len()).as_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finish()
    }
}

/// A script's text without what changes from version to version and means nothing to a first installation: comments of
/// packaging tools (in `triggers` every comment is one), and calls of `dpkg-maintscript-helper`, which act on upgrades only.
fn plain(name: &str, text: &str) -> String {
    const VOID: [&str; 3] = ["# Automatically added by ", "# End automatically added", "dpkg-maintscript-helper "];
    let comment = |line: &str| line.starts_with('#') || line.trim().is_empty();
    let void = |line: &str| VOID.iter().any(|start| line.starts_with(start));
    let kept = text.lines().filter(|line| if name == "triggers" { !comment(line) } else { !void(line) });
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// The control stanza and scripts of a package file; its data is not read.
///
/// # Errors
/// If it is damaged or no package.
pub fn read_control(deb: &Path) -> Result<Control, DebError> {
    control_from(io::BufReader::new(fsx::open(deb)?))
}

/// As [`read_control`], from any stream.
///
/// # Errors
/// If it is damaged or no package.
pub fn control_from(from: impl Read) -> Result<Control, DebError> {
    let mut archive = Ar::new(from)?;
    while let Some((name, size)) = archive.next_member()? {
        if name.starts_with("control.tar") {
            return control_of(decoder(&name, archive.member(size))?);
        }
        archive.skip(size)?;
    }
    Err(DebError::Format { why: "it has no control.tar" })
}

/// Visits each entry of a package's data in the order of the archive; nothing is held but the current one.
///
/// # Errors
/// If it is damaged or no package, or `visit` fails.
pub fn read_data<E: From<DebError>>(
    deb: &Path,
    visit: impl FnMut(&mut tar::Entry<'_, Box<dyn Read + '_>>) -> Result<(), E>,
) -> Result<(), E> {
    let file = fsx::open(deb).map_err(DebError::from)?;
    data_from(io::BufReader::with_capacity(1 << 18, file), visit)
}

/// As [`read_data`], from any stream.
///
/// # Errors
/// If it is damaged or no package, or `visit` fails.
pub fn data_from<E: From<DebError>>(
    from: impl Read,
    mut visit: impl FnMut(&mut tar::Entry<'_, Box<dyn Read + '_>>) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Ar::new(from)?;
    while let Some((name, size)) = archive.next_member()? {
        if !name.starts_with("data.tar") {
            archive.skip(size)?;
            continue;
        }
        let mut data = tar::Archive::new(decoder(&name, archive.member(size))?);
        for entry in data.entries().map_err(DebError::from)? {
            visit(&mut entry.map_err(DebError::from)?)?;
        }
        // To the end: damage behind the last entry is damage too.
        let rest = io::copy(&mut data.into_inner(), &mut io::sink());
        return rest.map(|_| ()).map_err(|error| DebError::from(error).into());
    }
    Err(DebError::Format { why: "it has no data.tar" }.into())
}

fn control_of(from: impl Read) -> Result<Control, DebError> {
    let mut control = Control::default();
    for member in tar::Archive::new(from.take(LARGEST_CONTROL)).entries()? {
        let mut member = member?;
        let path = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let name = path.trim_start_matches("./");
        if name == "control" {
            member.read_to_string(&mut control.stanza)?;
        } else if SCRIPTS.contains(&name) {
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes)?;
            control.scripts.0.insert(name.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    if control.stanza.is_empty() { Err(DebError::Format { why: "it has no control file" }) } else { Ok(control) }
}

/// A common `ar` archive with short names, as Debian packages are.
struct Ar<R> {
    inner: R,
    odd: bool,
}

impl<R: Read> Ar<R> {
    fn new(mut inner: R) -> Result<Self, DebError> {
        let mut magic = [0; 8];
        inner.read_exact(&mut magic)?;
        if &magic == b"!<arch>\n" {
            Ok(Self { inner, odd: false })
        } else {
            Err(DebError::Format { why: "no ar archive" })
        }
    }

    /// The next member's name and size; its bytes are then to be read or skipped.
    fn next_member(&mut self) -> Result<Option<(String, u64)>, DebError> {
        // Members start at even offsets.
        if std::mem::take(&mut self.odd) && self.inner.read(&mut [0])? == 0 {
            return Ok(None);
        }
        let mut header = Vec::with_capacity(60);
        self.inner.by_ref().take(60).read_to_end(&mut header)?;
        if header.is_empty() {
            return Ok(None);
        }
        let bad = DebError::Format { why: "bad ar header" };
        let Some(text) = std::str::from_utf8(&header).ok().filter(|text| text.len() == 60 && text.ends_with("`\n"))
        else {
            return Err(bad);
        };
        let field = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().trim_end();
        let Ok(size) = field(48..58).parse() else { return Err(bad) };
        Ok(Some((field(0..16).trim_end_matches('/').to_owned(), size)))
    }

    fn member(&mut self, size: u64) -> Exact<'_, R> {
        self.odd = size % 2 == 1;
        Exact { inner: &mut self.inner, left: size }
    }

    fn skip(&mut self, size: u64) -> Result<(), DebError> {
        Ok(io::copy(&mut self.member(size), &mut io::sink()).map(|_| ())?)
    }
}

/// A member's bytes; it is an error if they end early.
struct Exact<'a, R> {
    inner: &'a mut R,
    left: u64,
}

impl<R: Read> Read for Exact<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..room])?;
        if count == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn decoder<'a>(name: &str, from: impl Read + 'a) -> Result<Box<dyn Read + 'a>, DebError> {
    match name.rsplit('.').next() {
        Some("tar") => Ok(Box::new(from)),
        Some("xz") => Ok(Box::new(liblzma::read::XzDecoder::new_multi_decoder(from))),
        Some("zst") => Ok(Box::new(zstd::Decoder::new(from)?)),
        Some("gz") => Ok(Box::new(flate2::read::GzDecoder::new(from))),
        _ => Err(DebError::Format { why: "compressed in an unknown way" }),
    }
}
