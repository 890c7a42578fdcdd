//! The list of images that are wanted.

use std::collections::BTreeSet;

use crate::registry::{BadReference, Reference};

/// What sk8s carries itself has such names, which are no registry's.
const BUILT_IN: &str = "localhost/sk8s/";

/// A list that names something else than images.
#[derive(Debug, thiserror::Error)]
pub enum BadList {
    /// A word.
    #[error(transparent)]
    Word(#[from] BadReference),
    /// Nothing at all.
    #[error("no image is named")]
    Empty,
    /// Nothing that any registry has.
    #[error("every image that is named is built into sk8s: there is nothing to pull")]
    BuiltIn,
}

/// The images of a list, each once, and the built-in ones among them, which need no registry. Empty lines and those that begin
/// with `#` are passed over.
///
/// # Errors
/// If a line is no image's name, or no image is left: an archive of none is imported nowhere.
pub fn list<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<(BTreeSet<Reference>, Vec<String>), BadList> {
    let named = lines.into_iter().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (built_in, others): (Vec<&str>, Vec<&str>) = named.partition(|line| line.starts_with(BUILT_IN));
    if built_in.is_empty() && others.is_empty() {
        return Err(BadList::Empty);
    }
    let images: BTreeSet<Reference> = others.into_iter().map(str::parse).collect::<Result<_, _>>()?;
    if images.is_empty() {
        return Err(BadList::BuiltIn);
    }
    Ok((images, built_in.into_iter().map(ToOwned::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::{BadList, list};

    #[test]
    fn a_list_names_each_image_once_and_built_in_ones_apart() {
        let text = "# ours\nlocalhost/sk8s/pause:3\n\n busybox \ndocker.io/library/busybox:latest\nr.example/a:1\n";
        let (images, built_in) = list(text.lines()).expect("a list");
        let images: Vec<String> = images.iter().map(ToString::to_string).collect();
        assert_eq!(images, ["docker.io/library/busybox:latest", "r.example/a:1"]);
        assert_eq!(built_in, ["localhost/sk8s/pause:3"]);
    }

    #[test]
    fn no_image_or_no_name_is_an_error() {
        assert!(matches!(list("#\n\n".lines()), Err(BadList::Empty)));
        assert!(matches!(list(["a", "B!"]), Err(BadList::Word(_))));
        assert!(matches!(list(["localhost/sk8s/pause:3"]), Err(BadList::BuiltIn)));
    }
}
