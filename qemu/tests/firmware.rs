//! QEMU takes our arguments: the host's firmware boots on both architectures and says so on the console.

#![expect(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::path::Path;

use skerry_formats::arch::Arch;
use skerry_qemu::{
    Accel, Deadline, Medium, Network, Options, Vm, VmError,
    accel::{SIGNS_OF_LIFE, choose},
    binary, firmware,
};

fn options(arch: Arch, state: &Path) -> Options {
    let qemu = binary::find(arch, None, &std::env::var_os("PATH").unwrap()).unwrap();
    Options::new(qemu, Accel::Tcg, firmware::find(arch, Path::new("/")).unwrap(), state.to_owned())
}

#[test]
fn firmware_speaks_on_both_architectures() {
    for arch in Arch::ALL {
        let state = tempfile::tempdir().unwrap();
        let mut vm = Vm::start(Options { network: Network::None, ..options(arch, state.path()) }).unwrap();
        vm.expect_any(&SIGNS_OF_LIFE, Deadline::seconds(60)).unwrap();
        vm.kill();
    }
}

#[test]
fn firmware_reads_the_image_through_the_overlay_and_takes_a_medium_while_running() {
    let state = tempfile::tempdir().unwrap();
    let image = state.path().join("image.img");
    // A FAT volume without a loader: the firmware names the disk it could not boot from.
    Medium::nocloud("#cloud-config\n").write(&image).unwrap();
    let mut vm =
        Vm::start(Options { image: Some(image.clone()), ..options(Arch::Amd64, &state.path().join("vm")) }).unwrap();
    let busy = Vm::start(options(Arch::Amd64, &state.path().join("vm"))).unwrap_err();
    assert!(matches!(busy, VmError::Busy(_)), "{busy}");
    vm.expect("BdsDxe: failed to load Boot0001", Deadline::seconds(60)).unwrap();
    vm.qmp().plug(0, &image).unwrap();
    assert!(vm.qmp().plug(0, &image).is_err());
    vm.kill();
}

#[test]
fn a_machine_that_cannot_start_says_why() {
    let state = tempfile::tempdir().unwrap();
    let mut options = options(Arch::Amd64, state.path());
    options.media.push("/nonexistent.img".into());
    let error = Vm::start(options).unwrap_err().to_string();
    assert!(error.contains("/nonexistent.img"), "{error}");
}

#[test]
fn the_accelerator_is_tried_once_and_remembered() {
    let cache = tempfile::tempdir().unwrap();
    let Options { qemu, firmware, .. } = options(Arch::Amd64, cache.path());
    let first = choose(&qemu, &firmware, cache.path());
    assert_eq!(choose(&qemu, &firmware, cache.path()), first);
    assert!(!first.reason.is_empty());
    eprintln!("{first:?}");
}
