//! What `fetch` promises.

use skerry_formats::digest::Digest;

use super::*;
use crate::{
    archive::fixture::{Fixture, Line, Server, golden, spec},
    report::{Reporter, print_error},
};

fn want(server: &str, path: &str, bytes: &[u8]) -> Want {
    let (size, digest) = (bytes.len() as u64, Digest::of(bytes));
    Want { what: "ab_1_all".to_owned(), from: server.parse().unwrap(), path: path.to_owned(), size, digest }
}

/// Fetches the fixture's only package over a line; also how often the server was asked.
fn over(fixture: &Fixture, line: Line) -> (Result<(), FetchError>, u64, String) {
    let deb = spec("ab", "1", "");
    let server = Server::start(fixture.folder(), line);
    let want = want(&server.address, &deb.path(), &deb.deb());
    let client = fixture.archive().client;
    let result = all(&client, &fixture.store(), &[want], &Reporter::quiet());
    (result, server.requests(), server.address.clone())
}

#[test]
fn a_line_that_breaks_again_and_again_is_taken_up_where_it_broke() {
    let fixture = Fixture::new(&[spec("ab", "1", "")]);
    let (result, requests, _) = over(&fixture, Line::CutAfter(10_000));
    result.unwrap();
    assert_eq!(requests, 11, "100 kB in pieces of 10 kB");
    assert_eq!(fixture.stored().len(), 1);
}

#[test]
fn a_server_that_knows_no_ranges_is_asked_for_the_whole_again() {
    let fixture = Fixture::new(&[spec("ab", "1", "")]);
    let (result, requests, _) = over(&fixture, Line::NoRanges(30_000));
    result.unwrap();
    assert_eq!(requests, 4, "30 kB, 60 kB, 90 kB, all");
}

#[test]
fn a_mirror_that_dies_for_good_is_named_and_leaves_nothing() {
    let fixture = Fixture::new(&[spec("ab", "1", "")]);
    let (result, _, address) = over(&fixture, Line::DiesAfter(50_000));
    let text = print_error(&result.unwrap_err()).replace(&address, "MIRROR");
    golden("mirror-dies.txt", &text);
    assert_eq!(fixture.stored().len(), 0);
}

#[test]
fn damaged_packages_are_refused_and_leave_nothing() {
    let deb = spec("ab", "1", "");
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("deb-bit-flip.txt", |bytes| bytes[5000] ^= 1),
        ("deb-truncated.txt", |bytes| bytes.truncate(5000)),
        ("deb-too-long.txt", |bytes| bytes.push(0)),
    ];
    for (name, damage) in damages {
        let fixture = Fixture::new(std::slice::from_ref(&deb));
        fixture.change(&deb.path(), damage);
        let server = Server::start(fixture.folder(), Line::CutAfter(u64::MAX >> 1));
        for mirror in [fixture.folder().to_str().unwrap(), &server.address] {
            let want = want(mirror, &deb.path(), &deb.deb());
            let result = all(&fixture.archive().client, &fixture.store(), &[want], &Reporter::quiet());
            golden(name, &print_error(&result.unwrap_err()));
            assert_eq!(fixture.stored().len(), 0, "{name}");
        }
    }
}

#[test]
fn pauses_double_up_to_a_limit() {
    let patience = Patience::default();
    let pauses: Vec<u128> = (1..=7).map(|failures| patience.pause_after(failures).as_millis()).collect();
    assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 8000]);
}
