//! What the daemon knows of its machine before any seed.

use std::path::Path;

use skerry_formats::seed::HostName;

use crate::{
    boot_report::{self, BootReport},
    machine_id::MachineId,
    report::Machine,
    sys::fs,
};

/// The report of early boot; none where another initial RAM disk was used.
pub fn boot_report() -> Option<BootReport> {
    serde_json::from_slice(&fs::read(Path::new(boot_report::PATH)).ok()?).ok()
}

/// Version and board from `os-release(5)`, the slot from early boot.
pub fn machine(report: Option<&BootReport>) -> Machine {
    let release = fs::read_text(Path::new("/usr/lib/os-release")).unwrap_or_default();
    parse(&release, report)
}

fn parse(release: &str, report: Option<&BootReport>) -> Machine {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let image = value("IMAGE_ID").unwrap_or_default();
    let product = value("ID").unwrap_or_default();
    let board = image.strip_prefix(&format!("{product}-")).unwrap_or("unknown board").to_owned();
    let version = value("IMAGE_VERSION").unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    Machine { version, board, slot: report.map(|report| report.slot) }
}

/// The name of a node that no seed names: told apart by the machine's id.
pub fn fallback_name() -> HostName {
    let id = fs::attribute(Path::new("/etc/machine-id")).as_deref().and_then(MachineId::parse);
    let name = id.map_or_else(|| "skerry".to_owned(), |id| format!("skerry-{}", id.short()));
    name.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn board_and_version_come_from_the_image() {
        let text = "ID=skerry\nIMAGE_ID=skerry-qemu-x86_64\nIMAGE_VERSION=\"0.2.0\"\n";
        let machine = parse(text, None);
        assert_eq!((machine.version.as_str(), machine.board.as_str()), ("0.2.0", "qemu-x86_64"));
    }
}
