//! A repository of charts as other people run one: files behind HTTP, for those who have the password.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{IpAddr, TcpListener, TcpStream},
};

use flate2::{Compression, write::GzEncoder};
use skerry_formats::digest::Digest;

use super::lan::Space;

/// `ada:tulip-9`, as a header has it.
const PASS: &str = "Basic YWRhOnR1bGlwLTk=";

/// Where the repository is, as its users write it.
pub struct Shop {
    pub url: String,
}

impl Shop {
    /// Opens one with a single chart at an address that a space has; it is there until the test ends.
    pub fn open(space: &Space, address: [u8; 4], (name, version): (&str, &str), template: &str) -> Self {
        let listener = space.within(|| TcpListener::bind((IpAddr::from(address), 0)).expect("a port"));
        let port = listener.local_addr().expect("an address").port();
        let archive = archive(name, &[("Chart.yaml", &head(name, version)), ("templates/all.yaml", template)]);
        let file = format!("{name}-{version}.tgz");
        let index = format!(
            "apiVersion: v1\nentries:\n  {name}:\n  - {{apiVersion: v2, name: {name}, version: {version}, digest: {}, urls: [{file}]}}\n",
            Digest::of(&archive)
        );
        let files = BTreeMap::from([("/index.yaml".to_owned(), index.into_bytes()), (format!("/{file}"), archive)]);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ended = answer(&stream, &files);
            }
        });
        Self { url: format!("http://{}:{port}", IpAddr::from(address)) }
    }
}

/// The least that a `Chart.yaml` says.
pub fn head(name: &str, version: &str) -> String {
    format!("{{apiVersion: v2, name: {name}, version: {version}}}\n")
}

fn archive(name: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{name}/{path}"), text.as_bytes()).expect("in memory");
    }
    tar.into_inner().expect("in memory").finish().expect("in memory")
}

/// One request a connection is enough.
fn answer(stream: &TcpStream, files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next().and_then(|line| line.split(' ').nth(1).map(ToOwned::to_owned)).unwrap_or_default();
    let known = lines.filter(|line| line == &format!("Authorization: {PASS}")).count() == 1;
    let (status, body) = match files.get(&path) {
        _ if !known => ("401 Unauthorized", &[][..]),
        Some(body) => ("200 OK", &body[..]),
        None => ("404 Not Found", &[][..]),
    };
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}
