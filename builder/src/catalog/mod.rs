//! The catalogue: boards, recipes, components and overlays as the data files describe them.

pub mod board;
pub mod data;
pub mod onefile;
pub mod recipe;
pub mod set;

use std::path::{Path, PathBuf};

use skerry_formats::name::Name;

use crate::fsx::{self, FsError};

pub use board::Board;
pub use data::DataError;
pub use onefile::OneFileRecipe;
pub use recipe::Recipe;
pub use set::{PackageSet, PackageSets};

/// The folder that holds `boards/`, `recipes/` and `overlays/`.
#[derive(Clone, Debug)]
pub struct Catalog {
    root: PathBuf,
}

impl Catalog {
    /// The catalogue in a folder.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The catalogue that the current folder lies in: the nearest folder above with `recipes/base.toml`.
    pub fn around(start: &Path) -> Result<Option<Self>, FsError> {
        for folder in start.ancestors() {
            if fsx::size(&folder.join("recipes/base.toml"))?.is_some() {
                return Ok(Some(Self::at(folder)));
            }
        }
        Ok(None)
    }

    /// The catalogue's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Names of all boards, sorted.
    pub fn board_names(&self) -> Result<Vec<String>, FsError> {
        self.folders("boards")
    }

    /// One board.
    pub fn board(&self, name: &Name) -> Result<Board, DataError> {
        let path = self.root.join("boards").join(name.as_str()).join("board.toml");
        if fsx::size(&path)?.is_none() {
            return Err(self.unknown("board", name.as_str(), &self.board_names()?));
        }
        let board: Board = data::load(&path)?;
        if board.name != *name {
            let message = format!("name is `{}`, but the folder is `{name}`", board.name);
            return Err(DataError::Bad { path, line: 1, message, hint: None });
        }
        Ok(board)
    }

    /// Names of all profiles, sorted; `default` is the base recipe alone.
    pub fn profile_names(&self) -> Result<Vec<String>, FsError> {
        let files = fsx::read_dir(&self.root.join("recipes/profiles"))?;
        let stems = files.iter().filter_map(|path| path.file_stem()?.to_str().map(str::to_owned));
        Ok(std::iter::once("default".to_owned()).chain(stems).collect())
    }

    /// The recipe of a profile: the base with the profile on top.
    pub fn recipe(&self, profile: &Name) -> Result<Recipe, DataError> {
        let base: Recipe = data::load(&self.root.join("recipes/base.toml"))?;
        if profile.as_str() == "default" {
            return Ok(base);
        }
        let path = self.root.join("recipes/profiles").join(format!("{profile}.toml"));
        if fsx::size(&path)?.is_none() {
            return Err(self.unknown("profile", profile.as_str(), &self.profile_names()?));
        }
        Ok(base.with(data::load(&path)?))
    }

    /// What goes into the one file of sk8s.
    pub fn one_file(&self) -> Result<OneFileRecipe, DataError> {
        data::load(&self.root.join("recipes/sk8s.toml"))
    }

    /// The package sets beside a root's own.
    pub fn sets(&self) -> Result<PackageSets, DataError> {
        data::load(&self.root.join("recipes/sets.toml"))
    }

    /// The folder of an overlay.
    pub fn overlay(&self, name: &Name) -> Result<PathBuf, DataError> {
        self.named_folder("overlays", "overlay", name)
    }

    /// The folder of a component.
    pub fn component(&self, name: &Name) -> Result<PathBuf, DataError> {
        self.named_folder("recipes/components", "component", name)
    }

    fn named_folder(&self, below: &str, what: &'static str, name: &Name) -> Result<PathBuf, DataError> {
        let path = self.root.join(below).join(name.as_str());
        match fsx::symlink_metadata(&path)? {
            Some(_) => Ok(path),
            None => Err(self.unknown(what, name.as_str(), &self.folders(below)?)),
        }
    }

    fn folders(&self, below: &str) -> Result<Vec<String>, FsError> {
        let paths = fsx::read_dir(&self.root.join(below))?;
        Ok(paths.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn unknown(&self, what: &'static str, word: &str, known: &[String]) -> DataError {
        let hint = data::advice(word, known.iter().map(String::as_str));
        DataError::Unknown { path: self.root.clone(), what, word: word.to_owned(), hint }
    }
}
