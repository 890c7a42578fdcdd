//! A blob's bytes, however often the line breaks: each is measured as it comes, and none is taken beyond the blob's size.

use std::io::{self, Read as _};

use skerry_formats::digest::Hasher;

use super::{
    client::Patience,
    document::Blob,
    error::Cause,
    send::{Ask, Server},
};
use crate::sys::fs::FsError;

/// Takes bytes at an offset.
pub(super) type Sink<'a> = dyn FnMut(u64, &[u8]) -> Result<(), FsError> + 'a;

/// After so many new bytes, a line that broke before is as good as new.
const PROGRESS: u64 = 1 << 20;
const BUFFER: usize = 128 << 10;

struct Download<'a> {
    server: &'a Server,
    repository: &'a str,
    blob: &'a Blob,
    at: u64,
    hasher: Hasher,
}

/// Gives all bytes of a blob to `sink`, in order; from the beginning again where the server cannot go on in the middle.
pub(super) fn download(server: &Server, of: (&str, &Blob), sink: &mut Sink<'_>) -> Result<(), Cause> {
    let (repository, blob) = of;
    let mut download = Download { server, repository, blob, at: 0, hasher: Hasher::default() };
    let mut patience = Patience::default();
    while download.at < blob.size {
        let before = download.at;
        if let Err(cause) = download.go_on(sink) {
            if download.at >= before + PROGRESS {
                patience.restore();
            }
            patience.after(cause)?;
        }
    }
    let found = download.hasher.finish();
    if found == blob.digest { Ok(()) } else { Err(Cause::Digest { wanted: blob.digest, found }) }
}

impl Download<'_> {
    fn go_on(&mut self, sink: &mut Sink<'_>) -> Result<(), Cause> {
        let path = format!("blobs/sha256:{}", self.blob.digest);
        let answer = self.server.get(&Ask { repository: self.repository, path, accept: None, from: self.at })?;
        let range = answer.headers().get("content-range").and_then(|value| value.to_str().ok());
        if answer.status() != 206 || range.and_then(start) != Some(self.at) {
            self.at = 0;
            self.hasher = Hasher::default();
        }
        if answer.status() == 206 && self.at == 0 {
            return Err(self.cut(io::Error::other("the server goes on elsewhere than asked for")));
        }
        let mut reader = answer.into_body().into_reader().take(self.blob.size - self.at);
        let mut buffer = vec![0; BUFFER];
        while self.at < self.blob.size {
            let count = match reader.read(&mut buffer) {
                Ok(0) => return Err(self.cut(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => count,
                Err(error) => return Err(self.cut(error)),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            sink(self.at, bytes)?;
            self.hasher.update(bytes);
            self.at += count as u64;
        }
        Ok(())
    }

    const fn cut(&self, source: io::Error) -> Cause {
        Cause::Cut { digest: self.blob.digest, got: self.at, source }
    }
}

/// The first byte in `bytes 5-9/10`.
fn start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::start;

    #[test]
    fn a_range_begins_where_it_says() {
        assert_eq!(start("bytes 5-9/10"), Some(5));
        assert_eq!(start("bytes */10"), None);
    }
}
