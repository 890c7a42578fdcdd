//! Where a cluster's objects are kept: `spec.storage`.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};
use skerry_formats::hint;

use super::{
    flags::{BadFlag, Flags, Target},
    raw::{Text, absent},
};
use crate::backup::RawSnapshots;

/// Where the cluster's objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A database behind kine, which speaks etcd's protocol.
    Kine {
        /// Which database.
        source: DataSource,
    },
    /// etcd, run by sk8s on its controllers.
    Etcd(EtcdMember),
    /// etcd, run by somebody else.
    External(ExternalEtcd),
}

/// A database behind kine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// A file in the data folder.
    Sqlite,
    /// A MySQL or MariaDB server: `mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE`. Holds a password: not to be logged.
    Mysql(String),
    /// A PostgreSQL server: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Holds a password: not to be logged.
    Postgres(String),
}

/// This controller's member of the cluster's own etcd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EtcdMember {
    /// Where the other members reach it; the node's address if `None`.
    pub peer_address: Option<IpAddr>,
    /// Flags of the owner's, over ours.
    pub extra_args: Flags,
}

/// An etcd cluster that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalEtcd {
    /// Its client URLs, at least one, all `http` or all `https`.
    pub endpoints: Vec<String>,
    /// What every key begins with: starts with `/` and has more.
    pub prefix: String,
    /// What it is called with; `None`: the system's authorities and no client certificate.
    pub tls: Option<ClientFiles>,
}

/// Files with which a client proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// Certificate of the server's authority.
    pub ca: PathBuf,
    /// The client's certificate.
    pub certificate: PathBuf,
    /// The client's key.
    pub key: PathBuf,
}

/// `spec.storage` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStorage {
    /// `kine` or `etcd`.
    pub r#type: Option<String>,
    /// With type `kine`.
    #[serde(default, deserialize_with = "absent")]
    pub kine: RawKine,
    /// With type `etcd`.
    #[serde(default, deserialize_with = "absent")]
    pub etcd: RawEtcd,
    /// Backups that a controller makes by itself.
    #[serde(default, deserialize_with = "absent")]
    pub snapshots: RawSnapshots,
}

/// `spec.storage.kine` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawKine {
    /// `sqlite`, or the URL of a database.
    pub data_source: Option<String>,
}

/// `spec.storage.etcd` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawEtcd {
    /// Where the other members reach this one.
    pub peer_address: Option<String>,
    /// Flags of etcd.
    pub extra_args: Option<BTreeMap<String, Text>>,
    /// An etcd that somebody else runs.
    #[serde(default, deserialize_with = "absent")]
    pub external_cluster: RawExternal,
}

/// `spec.storage.etcd.externalCluster` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawExternal {
    /// Client URLs.
    pub endpoints: Option<Vec<String>>,
    /// Certificate of the server's authority.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate.
    pub client_cert_file: Option<PathBuf>,
    /// The client's key.
    pub client_key_file: Option<PathBuf>,
    /// What every key begins with.
    pub etcd_prefix: Option<String>,
}

/// A storage that cannot be. Display begins with the key below `spec.storage`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadStorage {
    /// Neither of the two.
    #[error("type: unknown: `{0}`; known: `kine`, `etcd`")]
    Type(String),
    /// Keys of the other type.
    #[error("{section}: given, but the type is `{kind}`; write `type: {section}` or leave it out")]
    OtherType {
        /// The section that is not used.
        section: &'static str,
        /// The type.
        kind: &'static str,
    },
    /// No database that kine is built with.
    #[error("kine.dataSource: unknown scheme: `{scheme}`; known: `sqlite`, `mysql`, `postgres`{}",
        .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Scheme {
        /// What was written.
        scheme: String,
        /// The known one nearest to it.
        near: Option<&'static str>,
    },
    /// A file of one's own for SQLite.
    #[error("kine.dataSource: SQLite's file lies in the data folder and its options are ours: write `sqlite` alone")]
    SqliteFile,
    /// No server.
    #[error("kine.dataSource: no server in it; wanted: `{0}`")]
    Server(&'static str),
    /// No address.
    #[error("etcd.peerAddress: not an address: `{0}`")]
    Peer(String),
    /// A flag.
    #[error("etcd.extraArgs")]
    Flag(#[source] BadFlag),
    /// etcd is somebody else's, yet told how to run.
    #[error("etcd.{0}: without effect on an external cluster")]
    NotOurs(&'static str),
    /// Nothing to call.
    #[error("etcd.externalCluster.endpoints: at least one is needed")]
    NoEndpoint,
    /// No URL.
    #[error("etcd.externalCluster.endpoints: not a client URL: `{0}`; wanted: `https://HOST:PORT`")]
    Endpoint(String),
    /// Some with TLS, some without.
    #[error("etcd.externalCluster.endpoints: `http` and `https` do not go together")]
    Mixed,
    /// Some of the three files.
    #[error("etcd.externalCluster: caFile, clientCertFile and clientKeyFile come together or not at all")]
    SomeFiles,
    /// Files that nothing uses.
    #[error("etcd.externalCluster: caFile, clientCertFile and clientKeyFile need `https` endpoints")]
    PlainWithFiles,
    /// No prefix.
    #[error("etcd.externalCluster.etcdPrefix: not a prefix: `{0}`; wanted: as in `/registry`")]
    Prefix(String),
}

const MYSQL: &str = "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE";
const POSTGRES: &str = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";

impl Storage {
    /// Checks `spec.storage`.
    ///
    /// # Errors
    /// Every value that cannot be.
    pub fn validate(raw: &RawStorage) -> Result<Self, Vec<BadStorage>> {
        let mut problems = Vec::new();
        let storage = match raw.r#type.as_deref().unwrap_or("kine") {
            "kine" => {
                if raw.etcd != RawEtcd::default() {
                    problems.push(BadStorage::OtherType { section: "etcd", kind: "kine" });
                }
                kine(&raw.kine, &mut problems)
            }
            "etcd" => {
                if raw.kine != RawKine::default() {
                    problems.push(BadStorage::OtherType { section: "kine", kind: "etcd" });
                }
                match raw.etcd.external_cluster == RawExternal::default() {
                    true => Self::Etcd(member(&raw.etcd, &mut problems)),
                    false => Self::External(external(&raw.etcd, &mut problems)),
                }
            }
            other => {
                problems.push(BadStorage::Type(other.to_owned()));
                Self::default()
            }
        };
        if problems.is_empty() { Ok(storage) } else { Err(problems) }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::Kine { source: DataSource::Sqlite }
    }
}

fn kine(raw: &RawKine, problems: &mut Vec<BadStorage>) -> Storage {
    let source = raw.data_source.as_deref().unwrap_or("sqlite").parse();
    let source = source.map_err(|problem| problems.push(problem));
    Storage::Kine { source: source.unwrap_or(DataSource::Sqlite) }
}

fn member(raw: &RawEtcd, problems: &mut Vec<BadStorage>) -> EtcdMember {
    let peer_address = raw.peer_address.as_ref().and_then(|text| {
        let address = text.parse().map_err(|_| problems.push(BadStorage::Peer(text.clone())));
        address.ok()
    });
    let extra_args = Flags::check(Target::Etcd, raw.extra_args.as_ref());
    let extra_args = extra_args.map_err(|bad| problems.extend(bad.into_iter().map(BadStorage::Flag)));
    EtcdMember { peer_address, extra_args: extra_args.unwrap_or_default() }
}

fn external(raw: &RawEtcd, problems: &mut Vec<BadStorage>) -> ExternalEtcd {
    for (key, given) in [("peerAddress", raw.peer_address.is_some()), ("extraArgs", raw.extra_args.is_some())] {
        if given {
            problems.push(BadStorage::NotOurs(key));
        }
    }
    let external = &raw.external_cluster;
    let endpoints = external.endpoints.clone().unwrap_or_default();
    let secure = endpoints.iter().filter(|text| text.starts_with("https://")).count();
    let bad = endpoints.iter().filter(|text| !is_client_url(text)).cloned().map(BadStorage::Endpoint);
    problems.extend(bad);
    if endpoints.is_empty() {
        problems.push(BadStorage::NoEndpoint);
    } else if secure != 0 && secure != endpoints.len() {
        problems.push(BadStorage::Mixed);
    }
    let tls = client_files(external).map_err(|problem| problems.push(problem)).unwrap_or_default();
    if tls.is_some() && secure == 0 {
        problems.push(BadStorage::PlainWithFiles);
    }
    let prefix = external.etcd_prefix.clone().unwrap_or_else(|| "/registry".to_owned());
    if !prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains(char::is_whitespace) {
        problems.push(BadStorage::Prefix(prefix.clone()));
    }
    ExternalEtcd { endpoints, prefix, tls }
}

fn client_files(raw: &RawExternal) -> Result<Option<ClientFiles>, BadStorage> {
    match (&raw.ca_file, &raw.client_cert_file, &raw.client_key_file) {
        (None, None, None) => Ok(None),
        (Some(ca), Some(certificate), Some(key)) => {
            Ok(Some(ClientFiles { ca: ca.clone(), certificate: certificate.clone(), key: key.clone() }))
        }
        _ => Err(BadStorage::SomeFiles),
    }
}

fn is_client_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let parts = rest.and_then(|rest| rest.rsplit_once(':'));
    parts.is_some_and(|(host, port)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
        !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}

impl FromStr for DataSource {
    type Err = BadStorage;

    fn from_str(text: &str) -> Result<Self, BadStorage> {
        let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
        let server = |wanted| {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            let named = !host.is_empty() && !host.starts_with('/') && !rest.contains(char::is_whitespace);
            if named { Ok(text.to_owned()) } else { Err(BadStorage::Server(wanted)) }
        };
        match scheme {
            "sqlite" if rest.is_empty() => Ok(Self::Sqlite),
            "sqlite" => Err(BadStorage::SqliteFile),
            "mysql" => server(MYSQL).map(Self::Mysql),
            "postgres" | "postgresql" => server(POSTGRES).map(Self::Postgres),
            other => Err(BadStorage::Scheme {
                scheme: other.chars().take(40).collect(),
                near: hint::nearest(other, ["sqlite", "mysql", "postgres"]),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadStorage, DataSource, EtcdMember, RawStorage, Storage};

    fn storage(yaml: &str) -> Result<Storage, Vec<BadStorage>> {
        Storage::validate(&serde_yaml_ng::from_str::<RawStorage>(yaml).expect("well-formed"))
    }

    fn refusal(yaml: &str) -> String {
        let problems = storage(yaml).expect_err("refused");
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn sqlite_is_the_default() {
        assert_eq!(storage("{}"), Ok(Storage::Kine { source: DataSource::Sqlite }));
        assert_eq!(storage("{type: kine, kine: }"), Ok(Storage::default()));
    }

    #[test]
    fn a_server_is_kept_with_its_scheme() {
        let text = "mysql://kine:secret@tcp(192.0.2.1:3306)/kine";
        assert_eq!(text.parse(), Ok(DataSource::Mysql(text.into())));
        let text = "postgres://kine@192.0.2.1/kine?sslmode=disable";
        assert_eq!(text.parse(), Ok(DataSource::Postgres(text.into())));
    }

    #[test]
    fn an_unknown_scheme_names_the_known_ones() {
        let text = "kine.dataSource: unknown scheme: `nats`; known: `sqlite`, `mysql`, `postgres`";
        assert_eq!(refusal("{kine: {dataSource: 'nats://192.0.2.1'}}"), text);
        let text = "kine.dataSource: unknown scheme: `postgre`; known: `sqlite`, `mysql`, `postgres`; did you mean `postgres`?";
        assert_eq!(refusal("{kine: {dataSource: 'postgre://192.0.2.1'}}"), text);
    }

    #[test]
    fn a_refused_source_does_not_show_its_password() {
        for source in ["mysql://kine:secret@/kine", "postgres://kine:secret@", "sqlite:///secret", "mysql://secret 1"] {
            let text = refusal(&format!("{{kine: {{dataSource: '{source}'}}}}"));
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_member_of_etcd_has_an_address_of_its_own() {
        let wanted = EtcdMember { peer_address: Some([192, 0, 2, 7].into()), ..EtcdMember::default() };
        assert_eq!(storage("{type: etcd, etcd: {peerAddress: 192.0.2.7}}"), Ok(Storage::Etcd(wanted)));
        assert_eq!(refusal("{type: etcd, etcd: {peerAddress: shed}}"), "etcd.peerAddress: not an address: `shed`");
    }

    #[test]
    fn an_external_cluster_has_all_files_or_none() {
        let external = |more: &str| {
            storage(&format!(
                "{{type: etcd, etcd: {{externalCluster: {{endpoints: ['https://db.example:2379']{more}}}}}}}"
            ))
        };
        assert!(
            matches!(external(""), Ok(Storage::External(etcd)) if etcd.tls.is_none() && etcd.prefix == "/registry")
        );
        let files = ", caFile: /a, clientCertFile: /b, clientKeyFile: /c, etcdPrefix: /shed";
        assert!(matches!(external(files), Ok(Storage::External(etcd)) if etcd.tls.is_some() && etcd.prefix == "/shed"));
        assert_eq!(external(", caFile: /a"), Err(vec![BadStorage::SomeFiles]));
        assert_eq!(external(", etcdPrefix: shed"), Err(vec![BadStorage::Prefix("shed".into())]));
    }

    #[test]
    fn endpoints_are_client_urls_of_one_kind() {
        let external = |list: &str| {
            refusal(&format!("{{type: etcd, etcd: {{externalCluster: {{endpoints: {list}, etcdPrefix: /a}}}}}}"))
        };
        assert_eq!(external("[]"), "etcd.externalCluster.endpoints: at least one is needed");
        assert!(external("['db.example:2379']").contains("not a client URL"));
        assert!(external("['http://a:1', 'https://b:1']").contains("do not go together"));
    }

    #[test]
    fn every_problem_is_told() {
        let text = refusal("{type: etcd, etcd: {peerAddress: shed, extraArgs: {data-dir: /x, nmae: y}}}");
        let wanted = "etcd.peerAddress: not an address: `shed`\netcd.extraArgs\netcd.extraArgs";
        assert_eq!(text, wanted);
    }

    #[test]
    fn keys_of_the_other_type_are_refused() {
        assert!(refusal("{etcd: {peerAddress: 192.0.2.7}}").starts_with("etcd: given, but the type is `kine`"));
        assert!(refusal("{type: etcd, kine: {dataSource: sqlite}}").starts_with("kine: given, but the type is `etcd`"));
        assert_eq!(refusal("{type: consul}"), "type: unknown: `consul`; known: `kine`, `etcd`");
    }
}
