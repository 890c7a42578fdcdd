//! How k0sctl reaches a host, as far as OpenSSH's client needs telling.

use std::str::FromStr;

use serde_yaml_ng::Value;

use super::{Remarks, map};
use crate::cluster::Ssh;

const CARRIED: [&str; 4] = ["address", "user", "port", "keyPath"];

/// The host's way in; none where k0sctl does not use SSH.
pub fn ssh(value: &Value, at: &str, remarks: &mut Remarks) -> Option<Ssh> {
    // k0sctl's own client logs in as root unless it is told otherwise; OpenSSH's is told by its configuration.
    let (key, usual) =
        [("ssh", Some("root")), ("openSSH", None)].into_iter().find(|(key, _)| value[*key].is_mapping())?;
    let (ssh, at) = (&value[key], format!("{at}.{key}"));
    remarks.left(&at, &map(ssh), &CARRIED);
    let address = ssh["address"].as_str().unwrap_or_default();
    let address = match address.parse() {
        Ok(address) => address,
        Err(error) => {
            remarks.add(&format!("{at}.address"), &format!("left out, and with it the host's way in: {error}"));
            return None;
        }
    };
    let user = ssh["user"].as_str().or(usual);
    let port = ssh["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    Some(Ssh {
        address,
        user: part(user, &format!("{at}.user"), remarks),
        port: port.filter(|port| *port != 22),
        key_path: part(ssh["keyPath"].as_str(), &format!("{at}.keyPath"), remarks),
    })
}

fn part<T: FromStr<Err: std::fmt::Display>>(text: Option<&str>, at: &str, remarks: &mut Remarks) -> Option<T> {
    match text?.parse() {
        Ok(part) => Some(part),
        Err(error) => {
            remarks.add(at, &format!("left out: {error}"));
            None
        }
    }
}
