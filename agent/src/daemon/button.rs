//! The power button, which no login manager watches here: one press shuts the machine down in order. A hypervisor's
//! request to shut down is the same press.

use std::{collections::BTreeMap, fs::File, io::Read as _, path::PathBuf};

use crate::{
    chain,
    sys::{console::Console, fs, process::Program},
};

const FOLDER: &str = "/dev/input";
/// Bytes of the kernel's `struct input_event` on 64-bit machines (`linux/input.h`).
const EVENT: usize = 24;
/// `EV_KEY` (`linux/input-event-codes.h`).
const KEY: u16 = 1;
/// `KEY_POWER`.
const POWER: u16 = 116;
/// The value of a key that goes down.
const PRESSED: i32 = 1;

/// Everything that has keys.
#[derive(Debug, Default)]
pub struct Button {
    devices: BTreeMap<PathBuf, File>,
    pressed: bool,
}

impl Button {
    /// Reads what was pressed since the last look; on the power button, asks systemd once to shut down.
    pub fn look(&mut self, console: &mut Console) {
        self.find();
        let before = self.pressed;
        self.devices.retain(|_, device| match pending(device) {
            Some(events) => {
                self.pressed |= power_pressed(&events);
                true
            }
            None => false,
        });
        if self.pressed && !before {
            console.line("skerry: power button: shutting down");
            let shut_down = Program::new("/usr/bin/systemctl").args(["start", "--no-block", "poweroff.target"]);
            if let Err(error) = shut_down.run() {
                console.line(format!("skerry: error: {}", chain::one_line(&error)));
                self.pressed = false;
            }
        }
    }

    /// Opens what has come since the last look.
    fn find(&mut self) {
        let all = fs::list(FOLDER.as_ref()).unwrap_or_default();
        let is_event =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("event"));
        for path in all.into_iter().filter(is_event) {
            if !self.devices.contains_key(&path)
                && let Ok(device) = fs::open_nonblocking(&path)
            {
                self.devices.insert(path, device);
            }
        }
    }
}

/// The events that wait, or `None` if the device is gone.
fn pending(device: &mut File) -> Option<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), [0; EVENT * 64]);
    loop {
        match device.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Some(all),
            Err(_) => return None,
        }
    }
}

/// Whether the power button goes down in these events.
fn power_pressed(events: &[u8]) -> bool {
    events.chunks_exact(EVENT).any(|event| {
        let [kind, code] = [16, 18].map(|at| u16::from_ne_bytes([event[at], event[at + 1]]));
        let value = i32::from_ne_bytes([event[20], event[21], event[22], event[23]]);
        (kind, code, value) == (KEY, POWER, PRESSED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        [&[7; 16][..], &kind.to_ne_bytes(), &code.to_ne_bytes(), &value.to_ne_bytes()].concat()
    }

    #[test]
    fn only_the_power_button_going_down_counts() {
        assert!(power_pressed(&[event(0, 0, 0), event(KEY, POWER, PRESSED), event(0, 0, 0)].concat()));
        assert!(!power_pressed(&event(KEY, POWER, 0)), "going up");
        assert!(!power_pressed(&event(KEY, 30, PRESSED)), "another key");
        assert!(!power_pressed(&event(2, POWER, PRESSED)), "no key");
        assert!(!power_pressed(&event(KEY, POWER, PRESSED)[..23]), "cut short");
    }
}
