//! QEMU's control protocol: a JSON object a line, over a Unix socket.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::Path,
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Deadline;

/// A failed exchange.
#[derive(Debug, thiserror::Error)]
pub enum QmpError {
    /// Nobody answers on the socket, or the machine is gone.
    #[error("the machine's control socket does not answer")]
    Io(#[from] io::Error),
    /// What came is not the protocol.
    #[error("the machine's control socket speaks something else")]
    Protocol(#[source] serde_json::Error),
    /// QEMU refused the command.
    #[error("the machine refused `{command}`: {reason}")]
    Refused {
        /// The command.
        command: &'static str,
        /// QEMU's words.
        reason: String,
    },
}

/// What a machine is doing, in QEMU's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Executing.
    Running,
    /// The accelerator failed; the machine will never go on.
    InternalError,
    /// The host's storage failed.
    IoError,
    /// The guest's kernel panicked and said so.
    GuestPanicked,
    /// Powered off.
    Shutdown,
    /// Stopped for another reason.
    #[serde(other)]
    Paused,
}

/// A connection to a machine's control socket.
#[derive(Debug)]
pub struct Qmp {
    socket: BufReader<UnixStream>,
    line: String,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "return")]
    result: Option<Value>,
    error: Option<Refusal>,
    event: Option<String>,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Refusal {
    desc: String,
}

#[derive(Deserialize)]
struct Status {
    status: RunState,
}

impl Qmp {
    /// Connects and leaves the protocol's greeting behind.
    ///
    /// # Errors
    /// If nobody listens, or what answers speaks no QMP within ten seconds.
    pub fn connect(path: &Path) -> Result<Self, QmpError> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
        let mut qmp = Self { socket: BufReader::new(socket), line: String::new() };
        qmp.receive()?;
        qmp.run("qmp_capabilities", None)?;
        Ok(qmp)
    }

    /// Connects as soon as somebody listens.
    ///
    /// # Errors
    /// The last attempt's, when the deadline has passed or `alive` says no.
    pub fn connect_by(path: &Path, deadline: Deadline, mut alive: impl FnMut() -> bool) -> Result<Self, QmpError> {
        loop {
            match Self::connect(path) {
                Err(_) if alive() && !deadline.passed() => crate::clock::pause(),
                other => return other,
            }
        }
    }

    /// What the machine is doing.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn status(&mut self) -> Result<RunState, QmpError> {
        let value = self.run("query-status", None)?;
        serde_json::from_value::<Status>(value).map(|status| status.status).map_err(QmpError::Protocol)
    }

    /// Presses the power button.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn powerdown(&mut self) -> Result<(), QmpError> {
        self.run("system_powerdown", None).map(|_| ())
    }

    /// Presses the reset button: nothing in the guest is asked.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn reset(&mut self) -> Result<(), QmpError> {
        self.run("system_reset", None).map(|_| ())
    }

    /// Goes on after a stop.
    ///
    /// # Errors
    /// If the socket fails or the machine cannot go on.
    pub fn cont(&mut self) -> Result<(), QmpError> {
        self.run("cont", None).map(|_| ())
    }

    /// Ends QEMU.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn quit(&mut self) -> Result<(), QmpError> {
        self.run("quit", None).map(|_| ())
    }

    /// Plugs a read-only medium into the PCI Express port `port` of the running machine.
    ///
    /// # Errors
    /// If QEMU refuses the file or the port is taken.
    pub fn plug(&mut self, port: u8, medium: &Path) -> Result<(), QmpError> {
        let node = format!("plugged{port}");
        self.run(
            "blockdev-add",
            Some(json!({
                "driver": "raw", "node-name": node, "read-only": true,
                "file": {"driver": "file", "filename": medium.to_string_lossy()},
            })),
        )?;
        let device = json!({
            "driver": "virtio-blk-pci", "id": format!("plug{port}"), "drive": node, "bus": format!("port{port}"),
        });
        self.run("device_add", Some(device)).map(|_| ())
    }

    /// Pulls the medium in port `port` out again; done when the guest has let it go.
    ///
    /// # Errors
    /// If nothing is plugged in, or the guest holds it for more than ten seconds.
    pub fn unplug(&mut self, port: u8) -> Result<(), QmpError> {
        let id = format!("plug{port}");
        self.run("device_del", Some(json!({"id": id})))?;
        loop {
            let message = self.receive()?;
            // The device's own part is reported before the device; only the device has a name.
            if message.event.as_deref() == Some("DEVICE_DELETED") && message.data["device"] == id.as_str() {
                break;
            }
        }
        self.run("blockdev-del", Some(json!({"node-name": format!("plugged{port}")}))).map(|_| ())
    }

    fn run(&mut self, command: &'static str, arguments: Option<Value>) -> Result<Value, QmpError> {
        let mut request = json!({"execute": command});
        if let Some(arguments) = arguments {
            request["arguments"] = arguments;
        }
        let stream = self.socket.get_mut();
        stream.write_all(format!("{request}\n").as_bytes())?;
        loop {
            let message = self.receive()?;
            if let Some(refusal) = message.error {
                return Err(QmpError::Refused { command, reason: refusal.desc });
            }
            if let Some(result) = message.result {
                return Ok(result);
            }
        }
    }

    /// The next message; events have neither a result nor an error.
    fn receive(&mut self) -> Result<Message, QmpError> {
        self.line.clear();
        if self.socket.read_line(&mut self.line)? == 0 {
            return Err(QmpError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_str(&self.line).map_err(QmpError::Protocol)
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    fn serve(answers: &'static [&'static str]) -> (tempfile::TempDir, thread::JoinHandle<Vec<String>>) {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("qmp")).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"{\"QMP\": {}}\n").unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut seen = vec![];
            for answer in answers {
                seen.push(lines.next().unwrap().unwrap());
                stream.write_all(answer.as_bytes()).unwrap();
            }
            seen
        });
        (folder, server)
    }

    #[test]
    fn events_between_command_and_result_are_skipped() {
        let (folder, server) = serve(&[
            "{\"return\": {}}\n",
            "{\"event\": \"STOP\", \"timestamp\": {}}\n{\"return\": {\"status\": \"internal-error\"}}\n",
        ]);
        let mut qmp = Qmp::connect(&folder.path().join("qmp")).unwrap();
        assert_eq!(qmp.status().unwrap(), RunState::InternalError);
        assert_eq!(server.join().unwrap()[1], r#"{"execute":"query-status"}"#);
    }

    #[test]
    fn refusal_carries_the_reason() {
        let (folder, _server) =
            serve(&["{\"return\": {}}\n", "{\"error\": {\"class\": \"GenericError\", \"desc\": \"port is taken\"}}\n"]);
        let mut qmp = Qmp::connect(&folder.path().join("qmp")).unwrap();
        let error = qmp.plug(0, Path::new("/a.img")).unwrap_err().to_string();
        assert_eq!(error, "the machine refused `blockdev-add`: port is taken");
    }

    #[test]
    fn unknown_states_count_as_paused() {
        assert_eq!(serde_json::from_str::<RunState>("\"prelaunch\"").unwrap(), RunState::Paused);
    }
}
