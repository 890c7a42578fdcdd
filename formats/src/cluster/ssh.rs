//! How a host is reached from the machine of its owner, in the words of OpenSSH's client.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{seed::printable, text_type};

/// A host's way in. What is left out is the client's own affair (ssh_config(5)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Ssh {
    /// Its name or address, or its `Host` in the client's configuration.
    pub address: SshAddress,
    /// Who to log in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<SshUser>,
    /// The port of its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The private key to prove oneself with, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_path: Option<KeyFile>,
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.address)?;
        self.port.map_or(Ok(()), |port| write!(f, " port {port}"))
    }
}

/// What `ssh` connects to. It never begins like a flag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SshAddress(String);

/// Who to log in as. It never begins like a flag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SshUser(String);

/// The path of a private key; a `~/` at its beginning is the owner's home.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyFile(String);

text_type!(SshAddress);
text_type!(SshUser);
text_type!(KeyFile);

/// A text that is not what it should be.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not {wanted}: `{}`", printable(.text))]
pub struct BadSsh {
    wanted: &'static str,
    text: String,
}

/// Letters, digits, `_`, and behind the first of them some more, at most 255 in all.
fn is_word(text: &str, more: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 255 && text.starts_with(plain) && text.chars().all(|c| plain(c) || more.contains(c))
}

impl FromStr for SshAddress {
    type Err = BadSsh;

    fn from_str(text: &str) -> Result<Self, BadSsh> {
        // An IPv6 address may begin with a colon, and have a zone behind a percent sign.
        if is_word(text.trim_start_matches(':'), ".-:%") {
            return Ok(Self(text.to_owned()));
        }
        Err(BadSsh { wanted: "a host name or an address, without user and port", text: text.to_owned() })
    }
}

impl FromStr for SshUser {
    type Err = BadSsh;

    fn from_str(text: &str) -> Result<Self, BadSsh> {
        if is_word(text, ".-@\\") {
            return Ok(Self(text.to_owned()));
        }
        Err(BadSsh { wanted: "a user's name", text: text.to_owned() })
    }
}

impl FromStr for KeyFile {
    type Err = BadSsh;

    fn from_str(text: &str) -> Result<Self, BadSsh> {
        // The client replaces what stands behind a percent sign.
        let fits = (1..=1024).contains(&text.len()) && !text.contains('%') && !text.chars().any(char::is_control);
        if fits && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(BadSsh { wanted: "the path of a private key", text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyFile, SshAddress, SshUser};

    #[test]
    fn what_would_be_a_flag_or_another_word_is_refused() {
        for good in ["192.0.2.1", "fe80::1%eth0", "::1", "tower.example.org", "tower_1"] {
            assert!(good.parse::<SshAddress>().is_ok(), "{good}");
        }
        for bad in ["-oProxyCommand=x", "", ":", "a b", "root@tower", "[fd00::1]", "a\nb", "$(x)"] {
            assert!(bad.parse::<SshAddress>().is_err(), "{bad}");
        }
        assert!("admin@example.org".parse::<SshUser>().is_ok() && "-l".parse::<SshUser>().is_err());
        assert!("~/.ssh/a key".parse::<KeyFile>().is_ok());
        assert!(["-i", "", "%h", "a\n"].iter().all(|bad| bad.parse::<KeyFile>().is_err()));
    }
}
