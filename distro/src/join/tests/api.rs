//! As much of the API as a controller looks into: objects by path, over HTTP.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::authority;
use crate::{api::Client, pki::admin, sys::clock};

/// What is there once the API is in trouble.
const TROUBLE: &str = "trouble";

/// The objects of an API that runs as long as the test.
#[derive(Clone, Debug, Default)]
pub struct Api(Arc<Mutex<BTreeMap<String, Value>>>);

impl Api {
    /// A client of a new one.
    pub fn serve(&self) -> Client {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let ca = authority();
        let leaf = ca.issue(&admin(), clock::now()).expect("issued");
        let server = format!("http://{}", listener.local_addr().expect("bound"));
        let api = self.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| api.answer(stream)));
        Client::new(&ca.certificate, &leaf).expect("a client").at(&server)
    }

    pub fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().expect("whole").get(path).cloned()
    }

    pub fn put(&self, path: &str, object: &Value) {
        self.0.lock().expect("whole").insert(path.to_owned(), stored(object.clone()));
    }

    pub fn delete(&self, path: &str) {
        self.0.lock().expect("whole").remove(path);
    }

    /// From now on it has no answer but that it is in trouble.
    pub fn refuse(&self) {
        self.put(TROUBLE, &json!({}));
    }

    fn answer(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let (mut line, mut length, mut merges) = (String::new(), 0, false);
        reader.read_line(&mut line).expect("a request");
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).expect("a header");
            let header = header.trim_end().to_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(count) = header.strip_prefix("content-length: ") {
                length = count.parse().expect("a length");
            }
            merges |= header.contains("merge-patch");
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut words = line.split(' ');
        let (verb, path) = (words.next().expect("a verb"), words.next().expect("a path"));
        let (status, body) = self.act(verb, path.split('?').next().unwrap_or_default(), (body, merges));
        let text = body.to_string();
        let head = format!("HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", text.len());
        let _gone = reader.into_inner().write_all((head + &text).as_bytes());
    }

    fn act(&self, verb: &str, path: &str, (body, merges): (Value, bool)) -> (u16, Value) {
        if self.get(TROUBLE).is_some() {
            return (500, json!({}));
        }
        let there = self.get(path);
        match (verb, there) {
            ("POST", _) => {
                let path = format!("{path}/{}", body["metadata"]["name"].as_str().expect("a name"));
                if self.get(&path).is_some() {
                    return (409, json!({}));
                }
                self.put(&path, &body);
                (201, body)
            }
            ("PATCH", there) if !merges => {
                self.put(path, &body);
                (if there.is_some() { 200 } else { 201 }, body)
            }
            (_, None) => (404, json!({})),
            ("GET", Some(there)) => (200, there),
            ("DELETE", Some(there)) => {
                self.delete(path);
                (200, there)
            }
            ("PATCH", Some(mut there)) => {
                for (key, value) in body["data"].as_object().expect("data") {
                    match value {
                        Value::Null => drop(there["data"].as_object_mut().map(|data| data.remove(key))),
                        value => there["data"][key] = value.clone(),
                    }
                }
                self.put(path, &there);
                (200, there)
            }
            other => panic!("{other:?}"),
        }
    }
}

/// As the API gives back a Secret.
fn stored(mut object: Value) -> Value {
    let Some(Value::Object(plain)) = object.as_object_mut().and_then(|object| object.remove("stringData")) else {
        return object;
    };
    for (key, value) in plain {
        object["data"][key] = json!(STANDARD.encode(value.as_str().expect("text")));
    }
    object
}
