//! Where in a payload lies what an image has in its root: one truth for who packs and who unpacks.

use std::path::{Path, PathBuf};

use skerry_formats::payload::FilePath;

use super::{Ready, shelf::SHELF};
use crate::{
    paths::{Paths, SPARE},
    sys::fs,
};

const COMPONENTS: &str = "bin";
const CNI: &str = "cni";
const IMAGES: &str = "images";

/// The path in a payload of a file that an image has at `installed`; `None` if sk8s does not look for it there.
#[must_use]
pub fn path_of(installed: &Path) -> Option<FilePath> {
    let usual = Paths::default();
    if installed == usual.images_list() {
        return installed.file_name()?.to_str()?.parse().ok();
    }
    let folders = [(&usual.components, COMPONENTS), (&usual.cni, CNI), (&usual.images, IMAGES)];
    folders.into_iter().find_map(|(folder, name)| {
        let below = installed.strip_prefix(folder).ok()?.to_str()?;
        format!("{name}/{below}").parse().ok()
    })
}

/// A program to spare among components that lie ready in the data folder, of whichever version.
#[must_use]
pub fn spare(name: &str, data: &Path) -> Option<PathBuf> {
    // A draft has a further part to its name.
    let ready = fs::folders(&data.join(SHELF)).unwrap_or_default().into_iter();
    ready
        .filter(|folder| folder.extension().is_none())
        .map(|folder| folder.join(COMPONENTS).join(SPARE).join(name))
        .find(|path| path.is_file())
}

impl Ready {
    /// These paths with the components' places in the folder that lies ready.
    #[must_use]
    pub fn places(&self, paths: Paths) -> Paths {
        let below = |name| self.folder().join(name);
        Paths { components: below(COMPONENTS), cni: below(CNI), images: below(IMAGES), ..paths }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::path_of;

    #[test]
    fn files_of_an_image_have_their_place() {
        let place = |installed: &str| path_of(Path::new(installed)).map(String::from);
        assert_eq!(place("/usr/libexec/sk8s/kube").as_deref(), Some("bin/kube"));
        assert_eq!(place("/usr/libexec/cni/bridge").as_deref(), Some("cni/bridge"));
        assert_eq!(place("/usr/share/sk8s/images/pause.tar").as_deref(), Some("images/pause.tar"));
        assert_eq!(place("/usr/share/sk8s/images.json").as_deref(), Some("images.json"));
        for stranger in ["/usr/bin/sk8s", "/usr/libexec/sk8s", "/usr/libexec/sk8s-more/kube", "usr/libexec/sk8s/kube"] {
            assert_eq!(place(stranger), None, "{stranger}");
        }
    }
}
