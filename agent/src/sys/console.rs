//! The consoles people look at: each terminal that the kernel itself writes to.

use std::{fs::File, io::Write as _, path::Path};

use super::fs;

/// Every console, open for writing.
#[derive(Debug, Default)]
pub struct Console {
    terminals: Vec<File>,
}

impl Console {
    /// Opens the consoles of the kernel (`/sys/class/tty/console/active`), or `/dev/console` where none is told. One that
    /// cannot be opened is passed over: a node without a console still has work to do.
    #[must_use]
    pub fn open() -> Self {
        let active = fs::attribute(Path::new("/sys/class/tty/console/active")).unwrap_or_default();
        let mut terminals: Vec<File> = active
            .split_ascii_whitespace()
            .filter_map(|name| fs::open_write(&Path::new("/dev").join(name)).ok())
            .collect();
        if terminals.is_empty() {
            terminals.extend(fs::open_write(Path::new("/dev/console")).ok());
        }
        Self { terminals }
    }

    /// Prints text, in which lines end with `\n`.
    pub fn print(&mut self, text: &str) {
        for terminal in &mut self.terminals {
            // A terminal that is gone (an unplugged serial adapter) must not stop the others.
            let _gone = terminal.write_all(text.as_bytes());
        }
    }

    /// Prints one line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.print(&format!("{}\n", text.as_ref()));
    }
}
