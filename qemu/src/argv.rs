//! QEMU's arguments for a machine: a pure function.

use std::{ffi::OsString, path::Path};

use skerry_formats::arch::Arch;

use crate::{
    accel::Accel,
    machine::{Cable, Forward, Machine, Network, Watchdog},
};

/// Number of PCI Express ports kept free for devices that are plugged in while the machine runs.
pub const HOTPLUG_PORTS: u8 = 2;

/// The arguments, without the program's own name.
#[must_use]
pub fn argv(machine: &Machine) -> Vec<OsString> {
    let mut args = Args::default();
    args.flag("-nodefaults").flag("-no-user-config");
    args.pair("-display", "none").pair("-machine", board(machine.arch));
    args.pair("-accel", accel(machine.accel)).pair("-cpu", cpu(machine.arch, machine.accel));
    args.pair("-smp", &machine.cpus.to_string()).pair("-m", &format!("{}M", machine.memory_mib));
    args.flash("code", &machine.firmware.code, "on");
    args.flash("vars", &machine.firmware.vars, "off");
    args.pair(
        "-chardev",
        &format!(
            "socket,id=console,path={},server=on,wait=off,logfile={},logappend=on",
            quoted(&machine.files.console),
            quoted(&machine.files.serial_log)
        ),
    );
    args.pair("-serial", "chardev:console");
    args.pair("-qmp", &format!("unix:{},server=on,wait=off", quoted(&machine.files.qmp)));
    for port in 0..HOTPLUG_PORTS {
        args.pair("-device", &format!("pcie-root-port,id=port{port},chassis={},slot={}", port + 1, port + 1));
    }
    args.disks(machine);
    args.network(&machine.network);
    args.pair("-device", "virtio-rng-pci");
    if let Some(clock) = machine.clock {
        args.pair("-rtc", &format!("base={}", clock.to_string().trim_end_matches('Z')));
    }
    if machine.watchdog == Watchdog::I6300esb {
        args.pair("-device", "i6300esb").pair("-action", "watchdog=reset");
    }
    args.list
}

const fn board(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "q35,smm=off,vmport=off",
        Arch::Arm64 => "virt,gic-version=3",
    }
}

const fn accel(accel: Accel) -> &'static str {
    match accel {
        Accel::Kvm => "kvm",
        Accel::Tcg => "tcg,thread=multi,tb-size=512",
    }
}

/// Under emulation a plain model: every feature that a guest finds it uses, and the wide ones are slow to emulate. A kernel
/// that finds a maker whose processors were never open to Meltdown leaves the page tables as they are at each system call, where
/// an emulator would drop all that it has translated: a node is Ready in less than two thirds of the time.
const fn cpu(arch: Arch, accel: Accel) -> &'static str {
    match (accel, arch) {
        (Accel::Kvm, _) => "host",
        (Accel::Tcg, Arch::Amd64) => "Nehalem,vendor=AuthenticAMD",
        (Accel::Tcg, Arch::Arm64) => "cortex-a72",
    }
}

/// A path inside a comma-separated option: QEMU wants commas doubled.
fn quoted(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

#[derive(Default)]
struct Args {
    list: Vec<OsString>,
}

impl Args {
    fn flag(&mut self, flag: &str) -> &mut Self {
        self.list.push(flag.into());
        self
    }

    fn pair(&mut self, name: &str, value: &str) -> &mut Self {
        self.flag(name).flag(value)
    }

    fn flash(&mut self, unit: &str, path: &Path, readonly: &str) {
        let unit_number = if unit == "code" { 0 } else { 1 };
        self.pair(
            "-drive",
            &format!("if=pflash,unit={unit_number},format=raw,readonly={readonly},file={}", quoted(path)),
        );
    }

    /// The disk ignores flushes: it outlives QEMU's end, not the host's. Databases in the guest run several times faster.
    fn disks(&mut self, machine: &Machine) {
        if let Some(disk) = &machine.disk {
            self.pair("-blockdev", &format!(
                "driver=qcow2,node-name=disk,discard=unmap,cache.no-flush=on,file.driver=file,file.cache.no-flush=on,\
                 file.filename={}",
                quoted(disk)
            ));
            self.pair("-device", "virtio-blk-pci,drive=disk,bootindex=0,serial=disk");
        }
        for (number, medium) in machine.media.iter().enumerate() {
            self.pair(
                "-blockdev",
                &format!(
                    "driver=raw,node-name=medium{number},read-only=on,file.driver=file,file.filename={}",
                    quoted(medium)
                ),
            );
            self.pair("-device", &format!("virtio-blk-pci,drive=medium{number},serial=medium{number}"));
        }
    }

    fn network(&mut self, network: &Network) {
        if matches!(network, Network::User(_) | Network::Both(..)) {
            let forward = |forward: &Forward| format!(",hostfwd=tcp:127.0.0.1:{}-:{}", forward.host, forward.guest);
            let forwards: String = network.forwards().iter().map(forward).collect();
            self.pair("-netdev", &format!("user,id=net{forwards}"))
                .pair("-device", "virtio-net-pci,netdev=net,romfile=");
        }
        if let Some(cable) = network.cable() {
            let end = match cable {
                Cable::First(port) => format!("listen=127.0.0.1:{port}"),
                Cable::Second(port) => format!("connect=127.0.0.1:{port}"),
            };
            let card = format!("virtio-net-pci,netdev=cable,romfile=,mac={}", cable.mac());
            self.pair("-netdev", &format!("socket,id=cable,{end}")).pair("-device", &card);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{firmware::Firmware, machine::RunFiles};

    fn machine(arch: Arch, accel: Accel) -> Machine {
        Machine {
            arch,
            accel,
            memory_mib: 2048,
            cpus: 2,
            firmware: Firmware { code: "/firmware/code.fd".into(), vars: "/state/vars.fd".into() },
            disk: Some("/state/a,b/disk.qcow2".into()),
            media: vec!["/state/seed.img".into()],
            network: Network::User(vec![Forward { host: 40001, guest: 6443 }, Forward { host: 40002, guest: 22 }]),
            clock: None,
            watchdog: Watchdog::I6300esb,
            files: RunFiles {
                qmp: "/run/qmp.sock".into(),
                console: "/run/console.sock".into(),
                serial_log: "/state/serial.log".into(),
            },
        }
    }

    fn lines(machine: &Machine) -> String {
        let mut text = String::new();
        for arg in argv(machine) {
            let arg = arg.to_string_lossy().into_owned();
            let end = if arg.starts_with('-') && text.ends_with(|c| c != '\n') { "\n" } else { "" };
            let gap = if arg.starts_with('-') { end } else { " " };
            text.push_str(gap);
            text.push_str(&arg);
        }
        text + "\n"
    }

    #[test]
    fn arguments_are_golden() {
        assert_eq!(lines(&machine(Arch::Amd64, Accel::Tcg)), include_str!("../golden/argv-amd64-tcg.txt"));
        assert_eq!(lines(&machine(Arch::Arm64, Accel::Tcg)), include_str!("../golden/argv-arm64-tcg.txt"));
        assert_eq!(lines(&machine(Arch::Amd64, Accel::Kvm)), include_str!("../golden/argv-amd64-kvm.txt"));
    }

    #[test]
    fn a_cable_has_two_ends_with_hardware_addresses_of_their_own() {
        let forwards = vec![Forward { host: 40001, guest: 6443 }];
        let at = |network| lines(&Machine { network, ..machine(Arch::Amd64, Accel::Tcg) });
        let (first, second) =
            (at(Network::Both(forwards, Cable::First(40002))), at(Network::Cable(Cable::Second(40002))));
        assert!(first.contains("hostfwd=tcp:127.0.0.1:40001-:6443"), "{first}");
        assert!(first.contains("listen=127.0.0.1:40002") && first.contains("mac=52:54:00:00:00:01"), "{first}");
        assert!(second.contains("connect=127.0.0.1:40002") && second.contains("mac=52:54:00:00:00:02"), "{second}");
        assert!(!second.contains("user,"), "{second}");
    }

    #[test]
    fn a_clock_starts_where_it_is_set() {
        let clock = Some(skerry_formats::moment::Moment(1_800_000_000));
        let text = lines(&Machine { clock, ..machine(Arch::Amd64, Accel::Tcg) });
        assert!(text.contains("-rtc base=2027-01-15T08:00:00\n"), "{text}");
    }

    #[test]
    fn a_bare_machine_has_no_disk_and_no_network() {
        let bare = Machine { disk: None, media: vec![], network: Network::None, ..machine(Arch::Amd64, Accel::Kvm) };
        let text = lines(&bare);
        assert!(!text.contains("virtio-blk") && !text.contains("netdev"), "{text}");
    }
}
