//! What is told while hosts are worked on.

use std::{io::Write as _, sync::Mutex};

use skerry_formats::seed::HostName;

/// A line a message on standard error, each with its host before it, whoever speaks at the same time.
#[derive(Debug, Default)]
pub struct Account(Mutex<()>);

impl Account {
    /// Tells of a host.
    pub fn say(&self, host: &HostName, text: &str) {
        let _one_at_a_time = self.0.lock();
        // Who closed standard error does not want to know.
        let _nobody_listens = writeln!(std::io::stderr(), "{host}: {text}");
    }
}
