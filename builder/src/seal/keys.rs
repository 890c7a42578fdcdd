//! Signing keys on the host: `NAME.key.pem` for its owner alone, `NAME.pub.pem` for everyone.

use std::{
    env,
    io::Read as _,
    path::{Path, PathBuf},
};

use skerry_formats::{
    envelope::{BadKey, PublicKey, SecretKey},
    name::Name,
};

use crate::{
    fsx::{self, FsError},
    report::{Explain, Reporter},
};

const SECRET: &str = ".key.pem";
const PUBLIC: &str = ".pub.pem";
/// The key of a host that was told of no other.
const DEVELOPMENT: &str = "development";

/// A key that cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A file that holds no key.
    #[error("cannot use key file `{}`", .path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BadKey,
    },
    /// A private key that others can read.
    #[error("key file `{}` is open to others than its owner: mode {mode:03o}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key is never replaced.
    #[error("there is a key `{}` already", .0.display())]
    Exists(PathBuf),
}

impl Explain for KeyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fs(FsError { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Some("`skerry keys show` lists the keys of this host, `skerry keys new NAME` makes one".to_owned())
            }
            Self::Fs(_) => Some("only the key's owner can sign with it: check the file's owner and mode".to_owned()),
            Self::Bad { source: BadKey::Public | BadKey::Weak, .. } => {
                Some("name a public key, `NAME.pub.pem`; `skerry keys show` lists them".to_owned())
            }
            Self::Bad { .. } => Some("name a private key, `NAME.key.pem`; `skerry keys new NAME` makes one".to_owned()),
            Self::Open { path, .. } => {
                Some(format!("`chmod 600 {}` if nobody else has read it; else make a new key", path.display()))
            }
            Self::Exists(_) => Some("choose another name; a key that signed anything is never replaced".to_owned()),
        }
    }
}

/// A folder of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFolder(PathBuf);

/// A public key with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The file of the public key.
    pub path: PathBuf,
    /// The key.
    pub key: PublicKey,
}

impl KeyFolder {
    /// The keys in a folder.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// This host's own: `$XDG_CONFIG_HOME/skerry`, else `~/.config/skerry`.
    #[must_use]
    pub fn of_host() -> Self {
        let named = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || env::var_os("HOME").map_or_else(env::temp_dir, PathBuf::from).join(".config");
        Self(named.unwrap_or_else(home).join("skerry"))
    }

    /// Where the private key of a name lies.
    #[must_use]
    pub fn secret(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}{SECRET}"))
    }

    /// Where the public key of a name lies.
    #[must_use]
    pub fn public(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}{PUBLIC}"))
    }

    /// Makes a key.
    ///
    /// # Errors
    /// If there is one of this name, or files cannot be written.
    pub fn create(&self, name: &Name) -> Result<SecretKey, KeyError> {
        self.make(name.as_str())
    }

    fn make(&self, name: &str) -> Result<SecretKey, KeyError> {
        let (path, public) = (self.secret(name), self.public(name));
        for path in [&path, &public] {
            if fsx::symlink_metadata(path)?.is_some() {
                return Err(KeyError::Exists(path.clone()));
            }
        }
        let key = SecretKey::from_bytes(&random()?);
        let text = key.to_pem().map_err(|source| KeyError::Bad { path: path.clone(), source })?;
        let public_text = key.public().to_pem().map_err(|source| KeyError::Bad { path: public.clone(), source })?;
        fsx::write_new_secret(&path, text.as_bytes())?;
        fsx::write_atomic(&public, public_text.as_bytes())?;
        Ok(key)
    }

    /// The public keys, by file name.
    ///
    /// # Errors
    /// If the folder or a key cannot be read.
    pub fn list(&self) -> Result<Vec<KnownKey>, KeyError> {
        if fsx::symlink_metadata(&self.0)?.is_none() {
            return Ok(Vec::new());
        }
        let paths = fsx::read_dir(&self.0)?.into_iter().filter(|path| path.to_string_lossy().ends_with(PUBLIC));
        paths.map(|path| Ok(KnownKey { key: read_public(&path)?, path })).collect()
    }

    /// The key that a build signs with: the named one, else this host's development key, made when it is first needed.
    ///
    /// # Errors
    /// If the key cannot be read, is open to others, or cannot be made.
    pub fn for_build(&self, named: Option<&Path>, reporter: &Reporter) -> Result<SecretKey, KeyError> {
        if let Some(path) = named {
            return read_secret(path);
        }
        let path = self.secret(DEVELOPMENT);
        if fsx::symlink_metadata(&path)?.is_some() {
            return read_secret(&path);
        }
        let key = self.make(DEVELOPMENT)?;
        reporter.line(format!("  made this host's development key `{}`; a release wants `--key`", path.display()));
        Ok(key)
    }
}

/// Reads a private key that only its owner can read.
///
/// # Errors
/// If it cannot be read, is no key, or is open to others.
pub fn read_secret(path: &Path) -> Result<SecretKey, KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = fsx::open(path)?;
    let mode = fsx::during("look at", path, file.metadata())?.permissions().mode() & 0o777;
    let mut text = String::new();
    fsx::during("read", path, file.read_to_string(&mut text))?;
    let key = SecretKey::from_pem(&text).map_err(|source| KeyError::Bad { path: path.to_owned(), source })?;
    if mode & 0o077 == 0 { Ok(key) } else { Err(KeyError::Open { path: path.to_owned(), mode }) }
}

/// Reads a public key.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read_public(path: &Path) -> Result<PublicKey, KeyError> {
    let text = fsx::read_to_string(path)?;
    PublicKey::from_pem(&text).map_err(|source| KeyError::Bad { path: path.to_owned(), source })
}

fn random() -> Result<[u8; 32], FsError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 32];
    fsx::during("read", source, fsx::open(source)?.read_exact(&mut bytes))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::print_error;

    fn refusal(folder: &Path, error: &KeyError) -> String {
        print_error(error).replace(&folder.display().to_string(), "DIR")
    }

    #[test]
    fn a_development_key_is_made_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyFolder::at(dir.path().join("skerry"));
        let first = keys.for_build(None, &Reporter::quiet()).unwrap();
        let again = keys.for_build(None, &Reporter::quiet()).unwrap();
        assert_eq!(first.public(), again.public());
        let mode = fsx::symlink_metadata(&keys.secret("development")).unwrap().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(keys.list().unwrap()[0].key, first.public());
    }

    #[test]
    fn a_key_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyFolder::at(dir.path().to_owned());
        let name: Name = "release".parse().unwrap();
        let key = keys.create(&name).unwrap();
        assert!(matches!(keys.create(&name), Err(KeyError::Exists(_))));
        fsx::remove_file(&keys.public("release")).unwrap();
        assert!(matches!(keys.create(&name), Err(KeyError::Exists(_))));
        assert_eq!(read_secret(&keys.secret("release")).unwrap().public(), key.public());
    }

    #[test]
    fn key_files_that_cannot_be_used_are_named_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyFolder::at(dir.path().to_owned());
        keys.create(&"a".parse().unwrap()).unwrap();
        let mut text = String::new();
        text += &refusal(dir.path(), &read_secret(&keys.secret("none")).unwrap_err());
        text += &refusal(dir.path(), &read_secret(&keys.public("a")).unwrap_err());
        text += &refusal(dir.path(), &read_public(&keys.secret("a")).unwrap_err());
        fsx::set_mode(&keys.secret("a"), 0o644).unwrap();
        text += &refusal(dir.path(), &read_secret(&keys.secret("a")).unwrap_err());
        text += &refusal(dir.path(), &keys.create(&"a".parse().unwrap()).unwrap_err());
        assert_eq!(text, include_str!("../../golden/inspect/keys.txt"));
    }
}
