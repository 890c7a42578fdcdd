//! Early boot: from the kernel's first process to the verified root's systemd.
//!
//! In order: kernel file systems, modules, the disk, the slot, the verified root, partitions of the first boot, `/var`,
//! `/etc`, seeds, and over to systemd. Whatever fails is told on the console with its cause and the next step, and the
//! machine restarts, so that the boot counter of the firmware decides what runs next.

mod choose;
mod data;
mod error;
mod etc;
mod handover;
mod modules;
mod partitions;
mod prepare;
mod root;
mod slot;

use std::{convert::Infallible, time::Duration};

use crate::{
    boot_report::Phase,
    chain,
    sys::{clock, console::Console, power},
};

pub use error::InitError;

/// Where the verified root is put together.
const SYSROOT: &str = "/sysroot";
/// How long a failure stays on the screen before the machine restarts.
const READABLE: Duration = Duration::from_secs(10);

/// What early boot knows of itself.
#[derive(Debug, Default)]
struct Log {
    console: Console,
    phases: Vec<Phase>,
}

impl Log {
    /// Says a line on the console.
    fn say(&mut self, text: impl AsRef<str>) {
        self.console.line(format!("skerry-init: {}", text.as_ref()));
    }

    /// Notes that a phase has ended.
    fn done(&mut self, name: &str) {
        self.phases.push(Phase { name: name.to_owned(), at_ms: clock::boot_ms() });
    }
}

/// Boots. Never returns: either systemd takes over, or the machine restarts.
pub fn run() -> ! {
    let mut log = Log::default();
    let error = match boot(&mut log) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    if log.phases.is_empty() {
        log.console = Console::open();
    }
    log.say("this boot has failed");
    for line in chain::lines(&error) {
        log.say(line);
    }
    log.say(format!("next: {}", error.next_step()));
    log.say(format!("restarting in {} s", READABLE.as_secs()));
    clock::pause(READABLE);
    power::restart()
}

fn boot(log: &mut Log) -> Result<Infallible, InitError> {
    prepare::file_systems()?;
    log.console = Console::open();
    log.say(format!("{} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH));
    let wanted = prepare::root_reference()?;
    modules::load_all(log)?;
    log.done("modules");
    let found = choose::wait(&wanted, log)?;
    log.say(format!("slot {} on `{}`, root hash {}", found.slot, found.disk.disk.name, wanted.root_hash.short()));
    log.done("slot");
    root::open(&found, &wanted)?;
    log.done("root");
    let (disk, origin) = partitions::complete(&found.disk, log)?;
    log.done("partitions");
    data::mount_on_var(&disk, origin, log)?;
    log.done("data");
    etc::overlay()?;
    etc::machine_id()?;
    etc::baked_seeds()?;
    handover::to_systemd(&found, &wanted, log)
}
