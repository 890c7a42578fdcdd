//! Charts that are files and folders of this machine: what is in them, read again only when it may be something else.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use skerry_formats::digest::{Digest, Hasher};

use crate::sys::fs::{self, FsError};

/// Size and time of each file of a chart.
type Prints = Vec<(PathBuf, Option<(u64, i128)>)>;

/// What was read, and what showed that it had to be.
#[derive(Clone, Debug, Default)]
pub struct Contents(BTreeMap<PathBuf, (Prints, Digest)>);

impl Contents {
    /// The digest of a chart's content; `None` if nothing is there.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn digest(&mut self, chart: &Path) -> Result<Option<Digest>, FsError> {
        let files: Vec<PathBuf> = if fs::is_folder(chart) {
            fs::files_below(chart)?.into_iter().map(|found| found.path).collect()
        } else {
            vec![chart.to_owned()]
        };
        let prints = files.iter().map(|path| Ok((path.clone(), fs::fingerprint(path)?)));
        let prints = prints.collect::<Result<Prints, FsError>>()?;
        if prints.iter().all(|(_, print)| print.is_none()) {
            return Ok(None);
        }
        if let Some((_, digest)) = self.0.get(chart).filter(|(known, _)| *known == prints) {
            return Ok(Some(*digest));
        }
        let mut whole = Hasher::default();
        for path in &files {
            let name = path.strip_prefix(chart).unwrap_or(path);
            whole.update(format!("{}\0{}\n", name.display(), fs::digest(path)?).as_bytes());
        }
        let digest = whole.finish();
        self.0.insert(chart.to_owned(), (prints, digest));
        Ok(Some(digest))
    }
}
