//! Certificates as a verifier sees them.

use std::{collections::BTreeSet, net::IpAddr};

use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate, parse_x509_pem};

use super::{
    Authority, CLOCK_FLOOR, Cluster, Desk, Identity, LeafId, PkiError, Shelf, Signer, UnixTime, key_print, kube_proxy,
    kubelet_client, kubelet_server, load, load_or_make, new_key, signing_request,
};
use crate::{
    config::{Lifetimes, Raw, Settings},
    duty::Duty,
    paths::Paths,
    sys::{
        cgroup, fs,
        machine::{Machine, OomControl},
    },
};

const NOW: UnixTime = UnixTime(1_795_244_000);

fn der(pem: &str) -> Vec<u8> {
    parse_x509_pem(pem.as_bytes()).expect("PEM").1.contents
}

fn machine() -> Machine {
    Machine {
        memory_mib: 1024,
        processors: 1,
        address: [192, 0, 2, 9].into(),
        second: None,
        addresses: vec![[192, 0, 2, 9].into(), IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 9])],
        oom: OomControl::Full,
        cgroups: cgroup::Version::V2,
        shims: None,
        crun: None,
        passwd: String::new(),
        resolver: String::new(),
    }
}

fn settings() -> Settings {
    let raw = Raw::parse("spec: {api: {sans: [shed.example, 203.0.113.1]}, node: {name: barn}}").expect("well-formed");
    Settings::validate(&raw, "-").expect("valid")
}

fn identity() -> Identity {
    Identity::generate(&"shed".parse().expect("a name"), NOW).expect("randomness")
}

fn names(certificate: &X509Certificate<'_>) -> BTreeSet<String> {
    let names = certificate.subject_alternative_name().expect("well-formed").expect("has names");
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(dns) => (*dns).to_owned(),
        GeneralName::IPAddress([a, b, c, d]) => IpAddr::from([*a, *b, *c, *d]).to_string(),
        GeneralName::IPAddress(v6) => IpAddr::from(<[u8; 16]>::try_from(*v6).expect("16 bytes")).to_string(),
        other => format!("{other:?}"),
    };
    names.value.general_names.iter().map(text).collect()
}

#[test]
fn every_leaf_is_signed_by_its_authority_and_by_no_other() {
    let (identity, settings, machine) = (identity(), settings(), machine());
    let etcd = Authority::generate("etcd-ca", Lifetimes::default().authority, NOW).expect("randomness");
    for leaf in LeafId::ALL {
        let (own, other) = match leaf.signer() {
            Signer::Cluster => (&identity.ca, &identity.front_proxy_ca),
            Signer::FrontProxy => (&identity.front_proxy_ca, &identity.ca),
            Signer::Etcd => (&etcd, &identity.ca),
        };
        let issued = own.issue(&leaf.request(&settings, &machine), NOW).expect("issued");
        let (der, own, other) = (der(&issued.certificate), der_of(own), der_of(other));
        let certificate = X509Certificate::from_der(&der).expect("DER").1;
        let key = |der: &'_ [u8]| X509Certificate::from_der(der).expect("DER").1.public_key().raw.to_vec();
        let verify = |key: Vec<u8>| {
            let key = x509_parser::x509::SubjectPublicKeyInfo::from_der(&key).expect("DER").1;
            certificate.verify_signature(Some(&key)).is_ok()
        };
        assert!(verify(key(&own)), "{leaf:?}");
        assert!(!verify(key(&other)), "{leaf:?}");
    }
}

fn der_of(authority: &Authority) -> Vec<u8> {
    der(&authority.certificate)
}

#[test]
fn certificates_are_valid_from_the_clock_floor_even_when_issued_later() {
    let identity = identity();
    let bytes = der_of(&identity.ca);
    let certificate = X509Certificate::from_der(&bytes).expect("DER").1;
    assert_eq!(certificate.validity().not_before.timestamp(), i64::try_from(CLOCK_FLOOR.0).expect("small"));
    assert_eq!(certificate.validity().not_after.timestamp(), i64::try_from(NOW.plus_days(3650).0).expect("small"));
    assert!(certificate.is_ca());
}

#[test]
fn a_clock_that_stands_in_1970_still_makes_certificates_that_last() {
    let identity = Identity::generate(&"shed".parse().expect("a name"), UnixTime(0)).expect("randomness");
    let bytes = der_of(&identity.ca);
    let certificate = X509Certificate::from_der(&bytes).expect("DER").1;
    let ends = certificate.validity().not_after.timestamp();
    assert_eq!(ends, i64::try_from(CLOCK_FLOOR.plus_days(3650).0).expect("small"));
}

#[test]
fn the_api_server_answers_to_all_its_names() {
    let (identity, settings, machine) = (identity(), settings(), machine());
    let issued = identity.ca.issue(&LeafId::ApiServer.request(&settings, &machine), NOW).expect("issued");
    let bytes = der(&issued.certificate);
    let certificate = X509Certificate::from_der(&bytes).expect("DER").1;
    let wanted = [
        "10.96.0.1",
        "127.0.0.1",
        "192.0.2.9",
        "203.0.113.1",
        "::1",
        "barn",
        "fd00::9",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        "shed.example",
    ];
    assert_eq!(names(&certificate), wanted.map(ToOwned::to_owned).into());
}

#[test]
fn a_kubelet_is_the_user_that_the_node_authorizer_knows() {
    let (identity, settings, machine) = (identity(), settings(), machine());
    let issued = identity.ca.issue(&LeafId::Kubelet.request(&settings, &machine), NOW).expect("issued");
    let bytes = der(&issued.certificate);
    let certificate = X509Certificate::from_der(&bytes).expect("DER").1;
    let subject = certificate.subject();
    let first = |mut values: Vec<&str>| values.pop().map(ToOwned::to_owned);
    assert_eq!(
        first(subject.iter_common_name().filter_map(|v| v.as_str().ok()).collect()).as_deref(),
        Some("system:node:barn")
    );
    assert_eq!(
        first(subject.iter_organization().filter_map(|v| v.as_str().ok()).collect()).as_deref(),
        Some("system:nodes")
    );
    let client_only = certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::ExtendedKeyUsage(usage) => usage.client_auth && !usage.server_auth,
        _ => false,
    });
    assert!(client_only);
}

#[test]
fn existing_authorities_are_kept_and_missing_ones_made() {
    let folder = tempfile::tempdir().expect("a folder");
    if !nix::unistd::getuid().is_root() {
        return;
    }
    let first = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("made");
    fs::remove_file(&folder.path().join("sa.key")).expect("removed");
    fs::remove_file(&folder.path().join("sa.pub")).expect("removed");
    let second = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("loaded");
    assert_eq!(first.ca, second.ca);
    assert_eq!(first.front_proxy_ca, second.front_proxy_ca);
    assert_ne!(first.service_account, second.service_account);
    assert_eq!(load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("loaded"), second);
}

#[test]
fn half_of_a_pair_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    if !nix::unistd::getuid().is_root() {
        return;
    }
    load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("made");
    fs::remove_file(&folder.path().join("ca.key")).expect("removed");
    let error = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect_err("half").to_string();
    assert!(error.contains("ca.crt` is there, but") && error.contains("ca.key` is not"), "{error}");
}

#[test]
fn a_power_loss_while_first_keys_are_made_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    if !nix::unistd::getuid().is_root() {
        return;
    }
    let (ca, key, making) = ("ca.crt", "ca.key", "making");
    let at = |name: &str| folder.path().join(name);
    let first = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("made");
    assert!(!fs::exists(&at(making)));
    let lose = |name: &str| {
        fs::remove_file(&at(name)).expect("removed");
        fs::write(&at(making), b"", fs::Access::Private, crate::sys::accounts::Account::ROOT).expect("written");
    };
    lose(key);
    assert!(load_or_make(folder.path(), &settings(), Cluster::Begun, NOW).is_err(), "objects were made with it");
    let second = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("made again");
    assert_ne!(first.ca, second.ca);
    assert_eq!((&first.service_account, &first.keyring), (&second.service_account, &second.keyring), "whole ones stay");
    assert!(!fs::exists(&at(making)));
    lose(ca);
    load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("whichever half it is");
    let third = load(folder.path()).expect("whole");
    lose("sa.pub");
    fs::remove_file(&at("sa.key")).expect("removed");
    let fourth = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("a pair that was not begun");
    assert_eq!(third.ca, fourth.ca);
}

#[test]
fn who_only_looks_at_keys_makes_none() {
    let folder = tempfile::tempdir().expect("a folder");
    if !nix::unistd::getuid().is_root() {
        return;
    }
    let not_made = |why: &str| {
        let error = load(folder.path()).expect_err("not all there");
        assert!(matches!(error, PkiError::NotMade(_)), "{why}: {error}");
    };
    not_made("nothing");
    let seeded = identity();
    for (name, text, access) in seeded.files().into_iter().filter(|(name, ..)| name.starts_with("ca.")) {
        let root = crate::sys::accounts::Account::ROOT;
        fs::write(&folder.path().join(name), text.as_bytes(), access, root).expect("written");
    }
    not_made("a seed's authority, before the controller has joined");
    assert_eq!(fs::list(folder.path()).expect("there").len(), 2, "and nothing more was written");
    let made = load_or_make(folder.path(), &settings(), Cluster::New, NOW).expect("made");
    assert_eq!(made.ca, seeded.ca);
    assert_eq!(load(folder.path()).expect("whole"), made);
    fs::remove_file(&folder.path().join("ca.key")).expect("removed");
    assert!(matches!(load(folder.path()), Err(PkiError::Half { .. })));
    fs::write(&folder.path().join("making"), b"", fs::Access::Private, crate::sys::accounts::Account::ROOT)
        .expect("written");
    not_made("they are being made");
}

#[test]
fn the_owners_kubeconfig_has_everything_inside() {
    let text = identity().admin_kubeconfig("https://192.0.2.9:6443", &"shed".parse().expect("a name"), NOW);
    let text = text.expect("issued");
    let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).expect("YAML");
    assert_eq!(value["clusters"][0]["cluster"]["server"], "https://192.0.2.9:6443");
    assert!(value["users"][0]["user"]["client-key-data"].as_str().is_some_and(|data| data.len() > 100));
}

#[test]
fn a_signing_request_gives_its_key_and_nothing_else() {
    let (key, ca) = (new_key().expect("a key"), identity().ca);
    let csr = signing_request(&key).expect("a request");
    let node = "barn".parse().expect("a name");
    let pem = ca.certify(&csr, &kubelet_client(&node), NOW).expect("signed");
    let der = der(&pem);
    let certificate = X509Certificate::from_der(&der).expect("DER").1;
    assert_eq!(certificate.subject().to_string(), "CN=system:node:barn, O=system:nodes");
    let print = skerry_formats::digest::Digest::of(certificate.public_key().raw);
    assert_eq!(key_print(&csr).expect("a request"), print);
    assert_ne!(key_print(&signing_request(&new_key().expect("a key")).expect("a request")).expect("a print"), print);
}

#[test]
fn a_signing_request_that_was_tampered_with_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let csr = signing_request(&new_key().expect("a key")).expect("a request");
    let body: String = csr.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("base64");
    for place in [40, der.len() / 2, der.len() - 3] {
        let mut bytes = der.clone();
        bytes[place] ^= 1;
        let text = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            STANDARD.encode(bytes)
        );
        assert!(identity().ca.certify(&text, &kube_proxy(), NOW).is_err(), "{place}");
    }
}

#[test]
fn nothing_by_which_a_node_answers_could_pass_for_the_api() {
    let node = "barn".parse().expect("a name");
    let request = kubelet_server(&node);
    assert_eq!(request.dns_names, ["barn"]);
    assert!(request.addresses.is_empty());
}

#[test]
fn a_leaf_on_disk_has_its_key_beside_it_and_is_not_due() {
    if !nix::unistd::getuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let paths = Paths { run: folder.path().to_owned(), ..Paths::default() };
    let (identity, settings, machine) = (identity(), settings(), machine());
    let authority = &identity.ca.certificate;
    let shelf = Shelf { duty: Duty::Single, settings: &settings, machine: &machine, paths: &paths, authority };
    let desk = Desk { identity: &identity, shelf };
    fs::create_folder(&paths.admin(), fs::Access::Private, crate::sys::accounts::Account::ROOT).expect("made");
    let (issued, held) = desk.issue(LeafId::Admin, NOW).expect("issued");
    let written = fs::read_to_string(&LeafId::Admin.key(&paths)).expect("written");
    assert_eq!(written, issued.key);
    let due = super::due(&[(LeafId::Admin, held)].into(), &shelf.wanted(), NOW);
    assert!(!due.contains_key(&LeafId::Admin) && due.contains_key(&LeafId::ApiServer));
}
