//! Texts that are compared to the letter with a file of `golden/`.

use std::path::PathBuf;

use crate::sys::{
    accounts::Account,
    fs::{self, Access},
};

/// Compares with a file of `golden/`; with `BLESS` set, writes it instead.
pub fn check(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        let owner = Account { uid: nix::unistd::getuid().as_raw(), gid: nix::unistd::getgid().as_raw() };
        fs::write(&path, text.as_bytes(), Access::Public, owner).expect("written");
    }
    assert_eq!(text, fs::read_to_string(&path).expect("a golden file"), "{name}");
}
