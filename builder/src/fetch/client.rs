//! One request: a file, from an offset on.

use std::{
    io::{self, Read, Seek as _, SeekFrom},
    time::Duration,
};

use super::{FetchError, Stream};
use crate::{archive::mirror::Location, fsx};

/// How long to go on when a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Failures in a row before giving up.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub pause: Duration,
    /// No pause is longer.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 6, pause: Duration::from_millis(250), longest: Duration::from_secs(8) }
    }
}

impl Patience {
    /// The pause after a number of failures in a row.
    #[must_use]
    pub fn pause_after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
        self.pause.saturating_mul(doubled).min(self.longest)
    }
}

/// Gets files from mirrors; cheap to clone, keeps connections open.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    pub(super) patience: Patience,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Patience::default())
    }
}

/// An answer that is being read.
pub(super) struct Body {
    pub(super) reader: Box<dyn Read + Send>,
    /// The whole file's size, if the mirror says so.
    pub(super) total: Option<u64>,
}

/// Why a request failed.
pub(super) enum Failure {
    /// Another attempt may do better.
    Passing(io::Error),
    /// Another attempt would fail too.
    Final(FetchError),
}

impl Client {
    /// A client of some patience.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_per_read(Some(Duration::from_secs(30)))
            .user_agent(concat!("skerry/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), patience }
    }

    /// A file as a stream that takes itself up again where the line breaks.
    #[must_use]
    pub fn stream<'a>(&'a self, from: &'a Location, path: &'a str) -> Stream<'a> {
        Stream::new(self, from, path)
    }

    /// A whole file that is not known beforehand, of at most `limit` bytes.
    ///
    /// # Errors
    /// If it cannot be got or is larger.
    pub fn read(&self, from: &Location, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let mut stream = self.stream(from, path);
        let mut bytes = Vec::new();
        let result = stream.by_ref().take(limit + 1).read_to_end(&mut bytes);
        stream.check(result)?;
        if bytes.len() as u64 > limit {
            return Err(FetchError::TooLarge { path: path.to_owned(), limit });
        }
        Ok(bytes)
    }

    /// Opens a file at an offset.
    pub(super) fn open(&self, from: &Location, path: &str, offset: u64) -> Result<Body, Failure> {
        let gone = || Failure::Final(FetchError::Gone { mirror: from.to_string(), path: path.to_owned() });
        match from {
            Location::Http(uri) => self.request(uri, path, offset),
            Location::Folder(folder) => {
                let file = folder.join(path);
                let passing = |error: fsx::FsError| Failure::Passing(error.source);
                let total = fsx::size(&file).map_err(passing)?.ok_or_else(gone)?;
                let mut reader = fsx::open(&file).map_err(passing)?;
                reader.seek(SeekFrom::Start(offset)).map_err(Failure::Passing)?;
                Ok(Body { reader: Box::new(reader), total: Some(total) })
            }
        }
    }

    fn request(&self, uri: &str, path: &str, offset: u64) -> Result<Body, Failure> {
        let mut request = self.agent.get(format!("{uri}/{}", escaped(path)));
        if offset > 0 {
            request = request.header("Range", format!("bytes={offset}-"));
        }
        let response = request.call().map_err(|error| Failure::Passing(error.into_io()))?;
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let length = header("content-length").and_then(|text| text.parse::<u64>().ok());
        let range = header("content-range").and_then(content_range);
        let (mirror, path) = (uri.to_owned(), path.to_owned());
        match (status, range) {
            (200, _) => {
                let mut reader: Box<dyn Read + Send> = Box::new(response.into_body().into_reader());
                let skipped = io::copy(&mut reader.by_ref().take(offset), &mut io::sink());
                skipped.map_err(Failure::Passing)?;
                Ok(Body { reader, total: length })
            }
            (206, Some((start, total))) if start == offset => {
                Ok(Body { reader: Box::new(response.into_body().into_reader()), total })
            }
            // Nothing lies behind the offset: the file is shorter than it should be, which its check will say.
            (416, _) if offset > 0 => Ok(Body { reader: Box::new(io::empty()), total: Some(offset) }),
            (404 | 410, _) => Err(Failure::Final(FetchError::Gone { mirror, path })),
            (408 | 425 | 429 | 500.., _) | (206, _) => {
                Err(Failure::Passing(io::Error::other(format!("the mirror answers {status}"))))
            }
            (status, _) => Err(Failure::Final(FetchError::Refused { mirror, path, status })),
        }
    }
}

/// Start and whole size in `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

/// A path of the archive in an address: `+`, `~` and `:` need no escape in a path, `%` and others do.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_+~:".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
