//! Keys of Secrets between controllers, through an API that knows one ConfigMap and no Secret.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{Board, expect, rotate, unseal};
use crate::{
    api::Client,
    config::NodeName,
    pki::{Authority, Keyring, LeafRequest, UnixTime, save_keyring},
};

const AUTHORITY: &str = "-----BEGIN PRIVATE KEY-----\nb3Vycw==\n-----END PRIVATE KEY-----\n";

/// The board as the API has it; each request may be answered by a change of it first.
#[derive(Default)]
struct Api {
    board: Option<Value>,
    version: u32,
    /// A newcomer that is taken in when the board is to be replaced next.
    joining: Option<&'static str>,
}

impl Api {
    fn set(&mut self, mut board: Value) {
        self.version += 1;
        board["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.board = Some(board);
    }

    fn says(&mut self, controller: &str, generation: u32) {
        let mut board = self.board.clone().expect("made");
        board["data"][format!("has.{controller}")] = json!(generation.to_string());
        self.set(board);
    }

    /// Every controller takes in what the board says.
    fn follow(&mut self) {
        let Some(board) = self.board.clone() else { return };
        let ring = unseal(board["data"]["sealed"].as_str().expect("sealed"), AUTHORITY).expect("ours");
        let all: Vec<String> = board["data"].as_object().expect("lines").keys().cloned().collect();
        all.iter().filter_map(|key| key.strip_prefix("has.")).for_each(|name| self.says(name, ring.generation()));
    }

    fn answer(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        match (method, &self.board) {
            ("GET", _) if path.contains("secrets") => (200, json!({"items": []})),
            ("GET", Some(board)) => (200, board.clone()),
            ("POST", None) => {
                self.set(body.clone());
                (201, json!({}))
            }
            ("PATCH", Some(_)) => {
                let lines = body["data"].as_object().expect("lines").clone();
                for (key, value) in &lines {
                    let number = value.as_str().and_then(|text| text.parse().ok()).expect("a number");
                    self.says(key.trim_start_matches("has."), number);
                }
                (200, json!({}))
            }
            ("PUT", Some(_)) => {
                if let Some(name) = self.joining.take() {
                    self.says(name, 0);
                }
                let known = self.board.as_ref().expect("there")["metadata"]["resourceVersion"].clone();
                if body["metadata"]["resourceVersion"] != known {
                    self.follow();
                    return (409, json!({}));
                }
                self.set(body.clone());
                self.follow();
                (200, json!({}))
            }
            _ => (404, json!({})),
        }
    }
}

fn serve(stream: &TcpStream, api: &Mutex<Api>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        head.push(line.to_ascii_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_ascii_uppercase(), words.next().unwrap_or_default());
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, text) = api.lock().expect("whole").answer(&method, path, &body);
    let text = text.to_string();
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} Done\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
}

fn api() -> (Client, Arc<Mutex<Api>>) {
    let now = UnixTime(1_795_269_900);
    let authority = Authority::generate("ours", std::time::Duration::from_secs(86_400), now).expect("made");
    let leaf = authority.issue(&LeafRequest::client("sk8s", None), now).expect("issued");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let api = Arc::new(Mutex::new(Api::default()));
    let known = api.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ended = serve(&stream, &known);
        }
    });
    (Client::new(&authority.certificate, &leaf).expect("keys").at(&url), api)
}

fn name(text: &str) -> NodeName {
    text.parse().expect("a name")
}

fn board(client: &Client) -> Board {
    Board::read(client, AUTHORITY).expect("answered").expect("made")
}

/// A folder with a controller's keys; `None` where the tests may not give files to root.
fn keys(ring: &Keyring) -> Option<tempfile::TempDir> {
    nix::unistd::getuid().is_root().then(|| {
        let folder = tempfile::tempdir().expect("a folder");
        save_keyring(folder.path(), ring).expect("written");
        folder
    })
}

#[test]
fn a_newcomer_is_given_the_keys_of_now_and_waited_for() {
    let first = Keyring::generate().expect("randomness");
    let Some(folder) = keys(&first) else { return };
    let (client, _api) = api();
    let given = expect(&client, (folder.path(), AUTHORITY), &name("mill")).expect("answered");
    assert_eq!(given.as_ref(), Some(&first), "the first controller makes the board");
    assert_eq!(board(&client).behind(&[]), ["mill"]);

    let later = (0..3).fold(first, |ring, _| ring.next().expect("randomness"));
    save_keyring(folder.path(), &later).expect("written");
    let given = expect(&client, (folder.path(), AUTHORITY), &name("mill")).expect("answered");
    assert_eq!(given, Some(later), "as they are on the disk, not as they were at the start");
}

#[test]
fn a_newcomer_is_given_what_its_guide_has_not_taken_in_yet() {
    let old = Keyring::generate().expect("randomness");
    let Some(folder) = keys(&old) else { return };
    let (client, _api) = api();
    let new = old.next().expect("randomness");
    Board::make(&client, &new, AUTHORITY).expect("made");
    let given = expect(&client, (folder.path(), AUTHORITY), &name("mill")).expect("answered");
    assert_eq!(given, Some(new));
}

#[test]
fn a_controller_that_joins_while_keys_change_takes_every_later_step() {
    let (client, api) = api();
    let old = Keyring::generate().expect("randomness");
    Board::make(&client, &old, AUTHORITY).expect("made");
    Board::report(&client, &name("barn"), 1).expect("told");
    api.lock().expect("whole").joining = Some("mill");
    rotate(&client, AUTHORITY, &[], drop).expect("changed all the same");
    let board = board(&client);
    assert_eq!(board.keyring.numbers().collect::<Vec<_>>(), [2]);
    assert_eq!(board.has.into_iter().collect::<Vec<_>>(), [("barn".to_owned(), 4), ("mill".to_owned(), 4)]);
}

#[test]
fn nobody_goes_on_while_one_that_was_taken_in_has_not_begun() {
    let (client, _api) = api();
    let ring = Keyring::generate().and_then(|ring| ring.next()).expect("randomness");
    Board::make(&client, &ring, AUTHORITY).expect("made");
    Board::report(&client, &name("barn"), 2).expect("told");
    assert!(board(&client).behind(&[]).is_empty());
    let before = board(&client);
    Board::report(&client, &name("mill"), 0).expect("told");
    assert_eq!(board(&client).behind(&[]), ["mill"]);
    let next = ring.next().expect("randomness");
    let refused = before.replace(&client, (&next, AUTHORITY), &[]).expect_err("who had looked before is too late");
    assert!(matches!(refused, super::BoardError::Raced), "{refused}");
}
