//! `skerry inspect`: a good image passes, and each way of spoiling one has words of its own.

#![expect(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::{
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use skerry::{
    compose::{BakedSeed, seed_cpio},
    fsx,
    image::{self, Disk},
    inspect::{inspect, manifest_path},
    report::print_error,
    seal::{
        uki::{self, Parts},
        verity,
    },
};
use skerry_formats::{
    arch::Arch,
    digest::{Digest, Hasher},
    envelope::{Envelope, SecretKey},
    layout::Part,
    manifest::{Blob, Manifest, One, Root},
    role::Role,
};

fn key() -> SecretKey {
    SecretKey::from_bytes(&[1; 32])
}

/// A PE32+ program of one empty section, as small as headers allow.
fn stub() -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, b"MZ");
    put(0x3c, &0x40u32.to_le_bytes());
    put(0x40, b"PE\0\0\x64\x86\x01\0");
    put(0x54, &240u16.to_le_bytes());
    put(0x58, &[0x0b, 0x02]);
    put(0x58 + 32, &4096u32.to_le_bytes());
    put(0x58 + 36, &512u32.to_le_bytes());
    put(0x58 + 60, &512u32.to_le_bytes());
    put(0x58 + 108, &16u32.to_le_bytes());
    let section = 0x58 + 240;
    put(section, b".text");
    for (at, value) in [(8, 512u32), (12, 0x10000), (16, 512), (20, 512)] {
        put(section + at, &value.to_le_bytes());
    }
    bytes
}

struct Lab {
    folder: tempfile::TempDir,
    image: PathBuf,
    manifest: Manifest,
}

impl Lab {
    /// An image with a small root, its manifest signed beside it.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root_path = folder.path().join("root");
        fsx::write_atomic(&root_path, &[b"root ".repeat(300_000)].concat()).unwrap();
        let root = verity::append(&root_path, &mut fsx::open_rw(&root_path).unwrap()).unwrap();
        let seed = BakedSeed { name: "10-role.yaml".to_owned(), text: "secret: hunter2\n".to_owned() };
        let parts = Parts {
            osrel: "ID=skerry\n",
            cmdline: &format!("{root} ro"),
            uname: "6.12",
            kernel: b"kernel",
            initrd: &seed_cpio(&[seed]).unwrap(),
        };
        let uki = uki::assemble(&stub(), &parts).unwrap();
        let image = folder.path().join("a.img");
        let disk = Disk { arch: Arch::Amd64, boot_loader: b"loader", uki: &uki, root: &root_path };
        image::write(&disk, &image, &mut fsx::create(&image).unwrap()).unwrap();
        let manifest = Manifest {
            format: One,
            product: "skerry".parse().unwrap(),
            version: "0.1.0".parse().unwrap(),
            board: "qemu-x86_64".parse().unwrap(),
            arch: Arch::Amd64,
            profile: "default".parse().unwrap(),
            role: Some(Role::Single),
            layout: One,
            root: Root {
                hash: root.root_hash,
                data_blocks: root.data_blocks,
                bytes: fsx::size(&root_path).unwrap().unwrap(),
            },
            uki: Blob { bytes: uki.len() as u64, sha256: Digest::of(&uki) },
            image: Blob { bytes: image::gpt::IMAGE_SIZE, sha256: digest(&image) },
            inputs: Digest::of(b"inputs"),
            packages: Digest::of(b"packages"),
            substitutions: vec!["libc6 2.41-1 → 2.41-2: the locked version left the mirror".parse().unwrap()],
            components: [("kubernetes".parse().unwrap(), "1.36.3".parse().unwrap())].into(),
        };
        let lab = Self { folder, image, manifest };
        lab.sign(&key());
        lab
    }

    fn sign(&self, key: &SecretKey) {
        let text = Envelope::sign(&self.manifest, &[key]).unwrap().to_json().unwrap();
        fsx::write_atomic(&manifest_path(&self.image), text.as_bytes()).unwrap();
    }

    fn flip(&self, at: u64) {
        let file = fsx::open_rw(&self.image).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[!byte[0]], at).unwrap();
    }

    /// Where in the image these bytes lie first, from `start` on.
    fn find(&self, bytes: &[u8], start: u64) -> u64 {
        let mut window = vec![0; 8 << 20];
        fsx::open(&self.image).unwrap().read_exact_at(&mut window, start).unwrap();
        start + window.windows(bytes.len()).position(|here| here == bytes).unwrap() as u64
    }

    /// All that a person sees.
    fn words(&self, image: &Path) -> String {
        let seen = match inspect(image, &[key().public()]) {
            Ok(inspection) => {
                let table = inspection.table();
                table + &inspection.verdict().map_or_else(|error| print_error(&error), |()| String::new())
            }
            Err(error) => print_error(&error),
        };
        seen.replace(&self.folder.path().display().to_string(), "DIR")
    }

    fn is_told_as(&self, golden: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/inspect").join(golden);
        let words = self.words(&self.image);
        if std::env::var_os("SKERRY_BLESS").is_some() {
            fsx::write_atomic(&path, words.as_bytes()).unwrap();
        }
        assert_eq!(words, fsx::read_to_string(&path).unwrap());
    }
}

/// The image is the same in each test: its digest is computed once.
fn digest(path: &Path) -> Digest {
    static OF_ALL: OnceLock<Digest> = OnceLock::new();
    *OF_ALL.get_or_init(|| {
        let (mut hasher, mut file, mut chunk) = (Hasher::default(), fsx::open(path).unwrap(), vec![0; 1 << 20]);
        loop {
            let count = file.read(&mut chunk).unwrap();
            if count == 0 {
                return hasher.finish();
            }
            hasher.update(&chunk[..count]);
        }
    })
}

#[test]
fn a_good_image_passes_raw_and_compressed_and_its_seeds_stay_secret() {
    let lab = Lab::new();
    lab.is_told_as("good.txt");
    let packed = lab.folder.path().join("a.img.zst");
    let mut encoder = zstd::Encoder::new(fsx::create(&packed).unwrap(), 1).unwrap();
    std::io::copy(&mut fsx::open(&lab.image).unwrap(), &mut encoder).unwrap();
    encoder.finish().unwrap();
    assert_eq!(lab.words(&packed), lab.words(&lab.image));
    assert!(!lab.words(&packed).contains("hunter2"));
    let left: Vec<PathBuf> = fsx::read_dir(lab.folder.path()).unwrap();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn a_flipped_byte_in_the_root_is_seen() {
    let lab = Lab::new();
    lab.flip(Part::RootA.start() + 1_000_000);
    lab.is_told_as("root-flip.txt");
}

#[test]
fn a_flipped_byte_in_the_hash_tree_is_seen() {
    let lab = Lab::new();
    lab.flip(Part::RootA.start() + (lab.manifest.root.data_blocks + 1) * 4096 + 40);
    lab.is_told_as("tree-flip.txt");
}

#[test]
fn a_flipped_byte_in_the_kernel_image_is_seen() {
    let lab = Lab::new();
    lab.flip(lab.find(b"ID=skerry", Part::Esp.start()));
    lab.is_told_as("uki-flip.txt");
}

#[test]
fn a_kernel_of_another_root_is_seen() {
    let lab = Lab::new();
    let at = lab.find(b"skerry.datablocks=", Part::Esp.start()) + 18;
    let mut file = fsx::open_rw(&lab.image).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(b"9").unwrap();
    lab.is_told_as("other-root.txt");
}

#[test]
fn a_moved_partition_is_seen() {
    let lab = Lab::new();
    lab.flip(1024 + 128 + 33);
    lab.is_told_as("partition.txt");
}

#[test]
fn a_truncated_image_is_seen() {
    let lab = Lab::new();
    fsx::open_rw(&lab.image).unwrap().set_len(600 << 20).unwrap();
    lab.is_told_as("truncated.txt");
}

#[test]
fn a_manifest_signed_by_another_key_is_refused() {
    let lab = Lab::new();
    lab.sign(&SecretKey::from_bytes(&[2; 32]));
    lab.is_told_as("other-key.txt");
}

#[test]
fn an_edited_manifest_is_refused() {
    let lab = Lab::new();
    let path = manifest_path(&lab.image);
    let text = fsx::read_to_string(&path).unwrap();
    fsx::write_atomic(&path, text.replacen("qemu-x86_64", "qemu-x86_65", 1).as_bytes()).unwrap();
    lab.is_told_as("edited-manifest.txt");
    fsx::write_atomic(&path, b"{}").unwrap();
    lab.is_told_as("no-envelope.txt");
    fsx::remove_file(&path).unwrap();
    lab.is_told_as("no-manifest.txt");
    fsx::remove_file(&lab.image).unwrap();
    lab.is_told_as("no-image.txt");
}
