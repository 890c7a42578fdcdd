//! Texts with a meaning: each type accepts exactly what it names.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

use super::path::printable;
use crate::text_type;

/// Text that is not what it should be.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not {wanted}: `{text}`")]
pub struct BadText {
    wanted: &'static str,
    text: String,
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        text_type!($name);

        impl FromStr for $name {
            type Err = BadText;

            fn from_str(text: &str) -> Result<Self, BadText> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadText { wanted: $wanted, text: printable(text) })
                }
            }
        }
    };
}

text!(
    /// A host name of one label, as RFC 1123 and Kubernetes want it.
    HostName, "a host name (lower-case letters, digits, `-`; at most 63)", is_label
);
text!(
    /// A DNS name: labels with dots between them.
    Domain, "a domain name (lower-case letters, digits, `-`, `.`; at most 253)", is_domain
);
text!(
    /// A range of addresses: `10.244.0.0/16`.
    Cidr, "a range of addresses such as `10.244.0.0/16`", |text| is_prefixed(text) && is_range(text)
);
text!(
    /// An interface's own address with the length of its network's prefix: `192.168.1.10/24`.
    Address, "an address with a prefix such as `192.168.1.10/24`", is_prefixed
);
text!(
    /// A network interface's name.
    InterfaceName, "a network interface's name (at most 15 characters)",
    |text| (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
);
text!(
    /// A hardware address: `52:54:00:12:34:56`.
    Mac, "a hardware address such as `52:54:00:12:34:56`", |text| {
        text.split(':').count() == 6 && text.split(':').all(|pair| pair.len() == 2 && is_hex(pair))
    }
);
text!(
    /// A label's key in Kubernetes: a name, perhaps with a DNS prefix and a slash before it.
    LabelKey, "a label's key such as `example.org/rack`", is_label_key
);
text!(
    /// A label's value in Kubernetes; may be empty.
    LabelValue, "a label's value (letters, digits, `-`, `_`, `.`; at most 63)", |text| text.is_empty() || is_qualified(text)
);
text!(
    /// A taint: `key=value:NoSchedule` or `key:NoExecute`.
    Taint, "a taint such as `dedicated=camera:NoSchedule`", is_taint
);
text!(
    /// A name or address that the API server's certificate must hold.
    San, "a DNS name or an address", |text| text.parse::<IpAddr>().is_ok() || is_domain(text)
);
text!(
    /// A public key in the form of `authorized_keys`.
    SshKey, "a public key such as `ssh-ed25519 AAAA… name`", is_ssh_key
);
text!(
    /// Permissions as octal digits.
    Permissions, "permissions such as `\"0644\"`",
    |text| (3..=5).contains(&text.len()) && u32::from_str_radix(text, 8).is_ok_and(|mode| mode <= 0o7777)
        && !text.starts_with('+')
);
text!(
    /// A user, perhaps with a group: `root:root`.
    Owner, "a user or `user:group`", |text| {
        text.split(':').count() <= 2 && text.split(':').all(is_account)
    }
);
text!(
    /// A file that a seed may write: below `/etc` or `/var`, not among what the system keeps for itself.
    FilePath, "a path below `/etc` or `/var` that the system does not keep for itself", is_writable
);

/// A text that is never shown. A join token, or a private key's block.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

text!(
    /// A block of PEM: what it holds is checked by who uses it.
    Pem, "PEM (`-----BEGIN …`)", is_pem
);

/// Whether a text is a PEM block.
pub(super) fn is_pem(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("-----BEGIN ") && text.ends_with("-----") && text.contains("-----END ")
}

impl Default for HostName {
    /// The name of a node that nobody has named.
    fn default() -> Self {
        Self("skerry".to_owned())
    }
}

impl Permissions {
    /// The mode's bits.
    #[must_use]
    pub fn mode(&self) -> u32 {
        u32::from_str_radix(&self.0, 8).unwrap_or(0o600)
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn split_prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.parse().ok().filter(|length| *length <= most && !text.contains('+'))?;
    Some((address, length))
}

fn is_prefixed(text: &str) -> bool {
    split_prefix(text).is_some()
}

/// Whether all bits behind the prefix are zero.
fn is_range(text: &str) -> bool {
    let bits = |octets: &[u8]| octets.iter().fold(0u128, |sum, octet| sum << 8 | u128::from(*octet));
    split_prefix(text).is_some_and(|(address, length)| {
        let (value, width) = match address {
            IpAddr::V4(v4) => (bits(&v4.octets()), 32),
            IpAddr::V6(v6) => (bits(&v6.octets()), 128),
        };
        value.trailing_zeros() >= width - u32::from(length) || value == 0
    })
}

fn is_qualified(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_domain(prefix) && is_qualified(name),
        None => is_qualified(text),
    }
}

fn is_taint(text: &str) -> bool {
    let Some((pair, effect)) = text.rsplit_once(':') else { return false };
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect)
        && is_label_key(key)
        && (value.is_empty() || is_qualified(value))
}

fn is_ssh_key(text: &str) -> bool {
    let mut words = text.split(' ');
    let kind = words.next().unwrap_or_default();
    let known = ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp", "sk-ssh-ed25519@", "sk-ecdsa-sha2-"];
    let blob = words.next().unwrap_or_default();
    known.iter().any(|prefix| kind.starts_with(prefix))
        && blob.starts_with("AAAA")
        && text.len() <= 16_384
        && !text.chars().any(char::is_control)
}

fn is_account(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// What below `/etc` and `/var` belongs to the system: its identity and the state of the agent and of Kubernetes.
const KEPT: [&str; 5] = ["/etc/machine-id", "/var/lib/skerry", "/var/lib/sk8s", "/var/run", "/var/lock"];
/// Exceptions to [`KEPT`]: manifests that the node applies are the owner's.
const GIVEN: &str = "/var/lib/sk8s/manifests/";

fn is_writable(text: &str) -> bool {
    let below = |folder: &str| text.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let clean = text.len() <= 1024
        && !text.chars().any(char::is_control)
        && text.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
    clean
        && (text.starts_with("/etc/") || text.starts_with("/var/"))
        && (text.starts_with(GIVEN) || !KEPT.iter().any(|kept| below(kept)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_outside_etc_and_var_are_refused() {
        for good in ["/etc/motd", "/var/lib/app/a b.conf", "/var/lib/sk8s/manifests/app.yaml"] {
            assert!(good.parse::<FilePath>().is_ok(), "{good}");
        }
        for bad in [
            "/usr/bin/x",
            "/etc/../usr/x",
            "etc/x",
            "/etc",
            "/etc/",
            "/var/lib/skerry/x",
            "/etc/machine-id",
            "/run/x",
            "/var/lib/sk8s/pki/ca.key",
            "/var/lib/sk8s/manifests/../pki/ca.key",
            "/etc//x",
            "/var/run/x",
            "/etc/a\nb",
        ] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_have_no_host_bits() {
        assert!("10.244.0.0/16".parse::<Cidr>().is_ok() && "fd00::/108".parse::<Cidr>().is_ok());
        for bad in ["10.244.0.1/16", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/+8", "x/8"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
        assert!("192.168.1.10/24".parse::<Address>().is_ok());
    }

    #[test]
    fn taints_and_labels_follow_kubernetes() {
        for good in ["a=b:NoSchedule", "example.org/x:NoExecute"] {
            assert!(good.parse::<Taint>().is_ok(), "{good}");
        }
        for bad in ["a=b", "a:Sometimes", ":NoSchedule", "-a:NoExecute"] {
            assert!(bad.parse::<Taint>().is_err(), "{bad}");
        }
        assert!("".parse::<LabelValue>().is_ok() && "a b".parse::<LabelValue>().is_err());
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::from("key".to_owned())), "[redacted]");
    }
}
