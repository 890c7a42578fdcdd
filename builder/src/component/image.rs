//! A component's programs as a container image.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use skerry_formats::arch::Arch;

use super::{
    BuiltFile, ComponentError, ImageSpec, Place,
    built::{FileRecord, ImageName},
};
use crate::{
    fsx,
    oci::{Image, Run},
    store,
    tree::{Content, Entry, Tree, TreePath},
};

/// Where image archives lie on the device.
const IMAGES: &str = "/usr/share/sk8s/images";

/// The files of unpacked Debian packages as the lower part of an image, with the links of the merged `/usr`.
pub(super) fn base(folder: &Path) -> Result<Tree, ComponentError> {
    let mut root = Tree::default();
    for name in ["bin", "sbin", "lib", "lib64"] {
        root.insert(TreePath::fixed(name), Entry::symlink(format!("usr/{name}")))?;
    }
    add(&mut root, folder, folder)?;
    Ok(root)
}

fn add(root: &mut Tree, base: &Path, folder: &Path) -> Result<(), ComponentError> {
    for path in fsx::read_dir(folder)? {
        let Some(meta) = fsx::symlink_metadata(&path)? else { continue };
        let name = path.strip_prefix(base).unwrap_or(&path).display().to_string();
        let at: TreePath = path_of(base.display(), &name)?;
        if meta.is_dir() {
            root.insert(at, Entry::dir())?;
            add(root, base, &path)?;
        } else if meta.is_symlink() {
            root.insert(at, Entry::symlink(fsx::read_link(&path)?.display().to_string()))?;
        } else {
            let (digest, size) = store::measure(&path)?;
            let mode = if meta.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
            root.insert(at, Entry::file(Content::Stored { path, size, digest }, mode))?;
        }
    }
    Ok(())
}

/// Composes the image of a component out of its finished programs, over what lies below them.
pub(super) fn compose(
    (spec, name): (&ImageSpec, &ImageName),
    arch: Arch,
    (mut root, programs): (Tree, &[BuiltFile]),
) -> Result<Image, ComponentError> {
    for (path, mode) in &spec.folders {
        root.insert(path_of(name, path)?, Entry { mode: octal(name, mode)?, ..Entry::dir() })?;
    }
    for (path, text) in &spec.files {
        root.insert(path_of(name, path)?, Entry::file(Content::from_bytes(text.as_bytes()), 0o644))?;
    }
    for program in programs {
        root.insert(program.install.clone(), program.entry())?;
    }
    for (path, mode) in &spec.modes {
        root.get_mut(&path_of(name, path)?)?.mode = octal(name, mode)?;
    }
    for (target, links) in &spec.links {
        let target = path_of(name, target)?;
        for link in links {
            root.insert(beside(&target, link.as_str(), name)?, Entry::symlink(target.file_name()))?;
        }
    }
    let run = Run {
        entrypoint: spec.entrypoint.clone(),
        command: spec.command.clone(),
        env: spec.env.clone(),
        user: spec.user.clone(),
    };
    Ok(Image { name: name.to_string(), arch, run, root })
}

/// Writes the archive of an image into a folder; its file is named after the image.
pub(super) fn archive_into(folder: &Path, image: &Image) -> Result<FileRecord, ComponentError> {
    let file = image.name.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let path = folder.join(format!("{file}.tar"));
    image.write(std::io::BufWriter::new(fsx::create_new(&path)?))?;
    fsx::set_mode(&path, 0o644)?;
    let install = path_of(&image.name, &format!("{IMAGES}/{file}.tar"))?;
    FileRecord::of(&path, &install, (Place::Root, 0o644))
}

fn octal(name: &ImageName, mode: &str) -> Result<u16, ComponentError> {
    u16::from_str_radix(mode, 8).map_err(|_| spec_error(name, format!("not an octal mode: `{mode}`")))
}

fn beside(target: &TreePath, link: &str, name: &ImageName) -> Result<TreePath, ComponentError> {
    let folder = target.as_str().strip_suffix(target.file_name()).unwrap_or_default();
    path_of(name, &format!("{folder}{link}"))
}

fn path_of(name: impl std::fmt::Display, path: &str) -> Result<TreePath, ComponentError> {
    path.parse().map_err(|error: crate::tree::BadPath| spec_error(name, error.to_string()))
}

fn spec_error(name: impl std::fmt::Display, problem: String) -> ComponentError {
    ComponentError::Image { name: name.to_string(), problem }
}

#[cfg(test)]
mod tests {
    use skerry_formats::arch::Arch;

    use super::{ImageName, ImageSpec, compose};
    use crate::tree::Tree;

    fn composed(text: &str) -> Result<Tree, String> {
        let spec: ImageSpec = toml::from_str(&format!("name = 'localhost/sk8s/own'\n{text}")).expect("well-formed");
        let name = ImageName("localhost/sk8s/own:1.0".to_owned());
        compose((&spec, &name), Arch::Amd64, (Tree::default(), &[])).map(|image| image.root).map_err(|e| e.to_string())
    }

    #[test]
    fn a_file_has_the_mode_that_is_named() {
        let root = composed("files = { '/bin/own' = 'x' }\nmodes = { '/bin/own' = '6755' }").expect("composed");
        let path = "/bin/own".parse().expect("a path");
        assert_eq!(root.get(&path).map(|entry| entry.mode), Some(0o6755));
    }

    #[test]
    fn a_mode_of_nothing_is_refused() {
        let error = composed("modes = { '/bin/own' = '6755' }").expect_err("nothing there");
        assert!(error.contains("/bin/own"), "{error}");
        assert!(
            composed("files = { '/bin/own' = 'x' }\nmodes = { '/bin/own' = '8' }")
                .expect_err("no mode")
                .contains("`8`")
        );
    }
}
