//! Imports what is missing, through containerd's own client program.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    archive::{self, Archived, BadArchive},
    ctr::Ctr,
};
use crate::{
    component,
    paths::Paths,
    sys::{
        fs::{self, FsError},
        process::ProcessError,
    },
};

/// Images that could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// `images.json`.
    #[error("`{}` is no list of images", .path.display())]
    List {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// An archive.
    #[error("`{}` is no image archive", .path.display())]
    Archive {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BadArchive,
    },
    /// containerd's client.
    #[error(transparent)]
    Client(#[from] ProcessError),
}

/// The built-in images by name, from `images.json` beside the archives or beside their folder.
///
/// # Errors
/// If there is none, or it is no JSON object of strings.
pub fn builtin(paths: &Paths) -> Result<BTreeMap<String, String>, ImportError> {
    let inside = paths.images.join("images.json");
    let path = if fs::exists(&inside) { inside } else { paths.images_list() };
    let text = fs::read_to_string(&path)?;
    component::images(&text).map_err(|source| ImportError::List { path, source })
}

/// Imports every archived image that containerd has not, or has with other content. Returns how many.
///
/// # Errors
/// At the first archive that cannot be read or imported.
pub fn import(ctr: &Ctr, paths: &Paths) -> Result<usize, ImportError> {
    let there = ctr.list()?;
    let mut imported = 0;
    for path in fs::list(&paths.images)? {
        if path.extension().is_none_or(|extension| extension != "tar") {
            continue;
        }
        let file = fs::open(&path)?;
        let images = archive::index(std::io::BufReader::new(file));
        let images = images.map_err(|source| ImportError::Archive { path: path.clone(), source })?;
        if images.iter().all(|image| is_listed(&there, image)) {
            continue;
        }
        ctr.import(&path)?;
        imported += images.len();
    }
    Ok(imported)
}

/// `ctr images list` prints reference, type and digest, with blanks between.
fn is_listed(list: &str, image: &Archived) -> bool {
    list.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(&image.reference) && words.nth(1) == Some(&image.digest)
    })
}

#[cfg(test)]
mod tests {
    use super::{Archived, is_listed};

    const LIST: &str = "REF TYPE DIGEST SIZE\nlocalhost/a:1 application/vnd.oci sha256:ab 1 KiB linux/amd64 -\n";

    #[test]
    fn the_same_name_with_other_content_is_imported_again() {
        let image = |digest: &str| Archived { reference: "localhost/a:1".into(), digest: digest.into() };
        assert!(is_listed(LIST, &image("sha256:ab")));
        assert!(!is_listed(LIST, &image("sha256:cd")));
    }
}
