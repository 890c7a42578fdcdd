//! `skerry vm` on a disk that never comes to a system: what must hold for every image.

#![expect(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::{
    io::{Cursor, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use skerry::{
    report::Reporter,
    vm::{self, Identity, Keep, Kubectl, Options, SeedFrom, VmError},
};
use skerry_formats::layout::Part;
use skerry_qemu::Interrupt;

/// A disk with a boot partition whose loader is none.
fn image(folder: &Path) -> PathBuf {
    let mut esp = Cursor::new(vec![0; 4 << 20]);
    fatfs::format_volume(&mut esp, fatfs::FormatVolumeOptions::new()).unwrap();
    let volume = fatfs::FileSystem::new(&mut esp, fatfs::FsOptions::new()).unwrap();
    volume.root_dir().create_dir("EFI").unwrap().create_dir("BOOT").unwrap().create_file("BOOTX64.EFI").unwrap();
    volume.unmount().unwrap();
    let path = folder.join("a.img");
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(Part::Esp.start())).unwrap();
    file.write_all(esp.get_ref()).unwrap();
    path
}

fn identity(folder: &Path, url: &str) -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> {
    assert!(folder.is_dir());
    Ok(Identity { seed: b"#cloud-config\n".to_vec(), kubeconfig: url.into() })
}

fn digest(path: &Path) -> skerry_formats::digest::Digest {
    skerry_formats::digest::Digest::of(&skerry::fsx::read(path).unwrap())
}

#[test]
fn interrupt_ends_the_machine_and_leaves_the_image_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let before = digest(&image);
    let options = Options {
        seed: SeedFrom::Nowhere,
        ..Options::new(image.clone(), folder.path().join("cache"), Kubectl::multicall("/nonexistent".into()))
    };
    let interrupt = Interrupt::default();
    let raiser = interrupt.clone();
    let console = options.state.join("serial.log");
    let watcher = std::thread::spawn(move || {
        while !skerry::fsx::read(&console).is_ok_and(|text| text.len() > 40) {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        raiser.raise();
    });
    vm::run(&options, &identity, &Reporter::quiet(), &interrupt).unwrap();
    watcher.join().unwrap();
    assert_eq!(digest(&image), before);
    assert!(options.state.join("disk.qcow2").exists());
    assert!(!options.state.join("seed.img").exists());
}

#[test]
fn identity_is_for_its_owner_only_and_a_machine_without_a_system_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let kubectl = Kubectl::multicall("/nonexistent/clients".into());
    let options = Options {
        keep: Keep::Nothing,
        patience: std::time::Duration::from_secs(4),
        ..Options::new(image(folder.path()), folder.path().join("cache"), kubectl)
    };
    let error = vm::run(&options, &identity, &Reporter::quiet(), &Interrupt::default()).unwrap_err();
    assert!(matches!(error, VmError::Machine(skerry_qemu::VmError::Silent { .. })), "{error}");
    for name in ["kubeconfig", "seed.img"] {
        let mode = std::fs::metadata(options.state.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
