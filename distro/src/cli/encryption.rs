//! `sk8s encryption`.

use clap::Subcommand;

use super::{
    own_node::OwnNode,
    token,
    verbs::{CliError, print},
};
use crate::encryption;

/// What to do with the keys of Secrets.
#[derive(Debug, Subcommand)]
pub enum EncryptionVerb {
    /// Say which key encrypts, and which controllers work with it
    Status,
    /// Put a new key in the place of the old one, and encrypt every Secret with it; takes some minutes, and nothing stops for it
    Rotate {
        /// A controller that is gone for good, which is not waited for
        #[arg(long, value_name = "NAME")]
        without: Vec<String>,
    },
}

/// Does it.
pub(super) fn obey(verb: &EncryptionVerb, node: &OwnNode) -> Result<(), CliError> {
    let (identity, _) = token::identity(node)?;
    let (client, authority) = (token::client(&identity)?, &identity.ca.key);
    if let EncryptionVerb::Rotate { without } = verb {
        let mut told = Ok(());
        encryption::rotate(&client, authority, without, |line| {
            if told.is_ok() {
                told = print(&format!("{line}\n"));
            }
        })?;
        told?;
    }
    print(&encryption::standing(&client, authority)?.to_string())
}
