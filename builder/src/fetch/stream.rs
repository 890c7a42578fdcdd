//! A file of a mirror as one stream, however often the line breaks.

use std::io::{self, Read};

use super::{
    Client, FetchError,
    client::{Body, Failure},
};
use crate::archive::mirror::Location;

/// A stream of a file's bytes. When a line breaks, it pauses, longer each time, and goes on at the same byte.
pub struct Stream<'a> {
    client: &'a Client,
    from: &'a Location,
    path: &'a str,
    body: Option<Body>,
    at: u64,
    failures: u32,
    resumed: bool,
    failure: Option<FetchError>,
}

impl<'a> Stream<'a> {
    pub(super) const fn new(client: &'a Client, from: &'a Location, path: &'a str) -> Self {
        Self { client, from, path, body: None, at: 0, failures: 0, resumed: false, failure: None }
    }

    /// Whether the line broke and was taken up again, so that two states of a mirror may have been mixed.
    #[must_use]
    pub const fn resumed(&self) -> bool {
        self.resumed
    }

    /// Turns the result of reading this stream into one that says why it failed.
    ///
    /// # Errors
    /// The stream's own failure, if it had one; else the given one.
    pub fn check<T>(&mut self, result: Result<T, impl Into<StreamError>>) -> Result<T, FetchError> {
        match (self.failure.take(), result) {
            (Some(failure), _) => Err(failure),
            (None, Ok(value)) => Ok(value),
            (None, Err(error)) => Err(match error.into() {
                StreamError::Store(error) => error.into(),
                StreamError::Io(source) => self.lost(source),
            }),
        }
    }

    fn lost(&self, source: io::Error) -> FetchError {
        let (mirror, path) = (self.from.to_string(), self.path.to_owned());
        FetchError::Lost { mirror, path, got: self.at, attempts: self.failures.max(1), source }
    }

    fn step(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        if self.body.is_none() {
            self.resumed |= self.at > 0;
            self.body = Some(self.client.open(self.from, self.path, self.at)?);
        }
        let Some(body) = &mut self.body else { return Ok(0) };
        let count = body.reader.read(buffer).map_err(Failure::Passing)?;
        if count == 0 && !buffer.is_empty() && body.total.is_some_and(|total| self.at < total) {
            return Err(Failure::Passing(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(count)
    }

    fn give_up(&mut self, failure: FetchError) -> io::Error {
        let text = failure.to_string();
        self.failure = Some(failure);
        io::Error::other(text)
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.step(buffer) {
                Ok(count) => {
                    self.at += count as u64;
                    self.failures = if count > 0 { 0 } else { self.failures };
                    return Ok(count);
                }
                Err(Failure::Final(failure)) => return Err(self.give_up(failure)),
                Err(Failure::Passing(error)) => {
                    self.body = None;
                    self.failures += 1;
                    if self.failures >= self.client.patience.attempts {
                        let failure = self.lost(error);
                        return Err(self.give_up(failure));
                    }
                    std::thread::sleep(self.client.patience.pause_after(self.failures));
                }
            }
        }
    }
}

/// What reading a stream can end with.
#[derive(Debug)]
pub enum StreamError {
    /// While reading.
    Io(io::Error),
    /// While storing.
    Store(crate::store::StoreError),
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<crate::store::StoreError> for StreamError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Store(error)
    }
}
