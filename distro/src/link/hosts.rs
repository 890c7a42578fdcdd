//! What kube-apiserver takes for `/etc/hosts` (`hosts(5)`): it calls nodes by their names, which only the link has to know, and
//! looks a name up before it hands a request on to a node (`nodes/NAME/proxy`), so as to refuse what leads to the machine itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::Path,
    time::Duration,
};

use super::egress::Ways;
use crate::{
    config::{Settings, Storage},
    supervisor::chain,
    sys::{
        accounts::Account,
        fs::{self, Access},
    },
};

/// How often is looked who is linked.
const PERIOD: Duration = Duration::from_secs(2);

/// The hosts that kube-apiserver calls by name because its configuration says so: its datastore, whom it asks about tokens. They
/// are where the machine says, whatever a node calls itself.
#[must_use]
pub fn called(settings: &Settings) -> BTreeSet<String> {
    let mut words = Vec::new();
    settings.api.extra_args.put_over(&mut words);
    if let Storage::External(cluster) = &settings.storage {
        words.extend_from_slice(&cluster.endpoints);
    }
    words.iter().flat_map(|word| word.split("://").skip(1)).filter_map(host).collect()
}

/// The host of what follows `://` in a URL, which may be one of a list (RFC 3986 section 3.2), as node names are written.
fn host(rest: &str) -> Option<String> {
    let authority = rest.split(['/', '?', '#', ',']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let name = place.split(':').next()?.trim_end_matches('.');
    Some(name.to_ascii_lowercase()).filter(|name| !name.is_empty())
}

/// The machine's own table, with the nodes as they are known here in the place of what it says of their names. Debian's, for one,
/// has the machine's own name on loopback. What is called as one of `others` is no node.
#[must_use]
pub fn table(machine: &str, nodes: &BTreeMap<String, IpAddr>, others: &BTreeSet<String>) -> String {
    let nodes = || nodes.iter().filter(|(name, _)| !others.contains(*name));
    let mut text = String::new();
    for line in machine.lines().filter_map(|line| line.split('#').next()) {
        let mut words = line.split_whitespace();
        let Some(address) = words.next() else { continue };
        let is_node = |name: &str| nodes().any(|(node, _)| node.eq_ignore_ascii_case(name));
        let names: Vec<&str> = words.filter(|name| !is_node(name)).collect();
        if !names.is_empty() {
            text.push_str(&format!("{address} {}\n", names.join(" ")));
        }
    }
    text.extend(nodes().map(|(name, address)| format!("{address} {name}\n")));
    text
}

/// Keeps the table as it should be, for as long as the process lives. What cannot be written is told once.
pub async fn keep(path: &Path, owner: Account, ways: Ways, others: BTreeSet<String>) {
    let mut written = String::new();
    let mut told = false;
    loop {
        let text = table(&fs::read_lossy(Path::new("/etc/hosts")).unwrap_or_default(), &nodes(&ways), &others);
        if text != written {
            match fs::write(path, text.as_bytes(), Access::Public, owner) {
                Ok(()) => written = text,
                Err(error) if !told => {
                    tracing::warn!(error = %chain(&error), "requests to nodes' own paths may not be handed on");
                    told = true;
                }
                Err(_) => {}
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// This node and those that are linked, each with its first address.
fn nodes(ways: &Ways) -> BTreeMap<String, IpAddr> {
    let own = ways.own.borrow().clone();
    let linked = ways.registry.all().into_iter().map(|(name, linked)| (name.to_string(), linked.hello.addresses));
    let all = linked.chain([(own.node.to_string(), own.addresses)]);
    all.filter_map(|(name, addresses)| Some((name, addresses.into_iter().find(|ip| !ip.is_loopback())?))).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        net::IpAddr,
    };

    use proptest::prelude::*;

    use super::{called, table};
    use crate::config::{Raw, Settings};

    #[test]
    fn a_node_is_where_it_is_and_others_are_where_the_machine_says() {
        let machine =
            "127.0.0.1 localhost\n# a comment\n127.0.1.1 barn.farm.example Barn # ours\n192.0.2.9 well mill\n\n";
        let nodes =
            [("barn", [192, 0, 2, 7]), ("mill", [10, 9, 9, 2])].map(|(name, ip)| (name.into(), IpAddr::from(ip)));
        let wanted =
            "127.0.0.1 localhost\n127.0.1.1 barn.farm.example\n192.0.2.9 well\n192.0.2.7 barn\n10.9.9.2 mill\n";
        assert_eq!(table(machine, &BTreeMap::from(nodes), &BTreeSet::new()), wanted);
    }

    #[test]
    fn no_node_takes_the_place_of_a_host_that_kube_apiserver_calls() {
        let machine = "192.0.2.50 etcd.example\n";
        let nodes = [("barn", [192, 0, 2, 7]), ("etcd.example", [192, 0, 2, 8])];
        let nodes = nodes.map(|(name, ip)| (name.to_owned(), IpAddr::from(ip)));
        let others = BTreeSet::from(["etcd.example".to_owned(), "login.example".to_owned()]);
        assert_eq!(table(machine, &BTreeMap::from(nodes), &others), "192.0.2.50 etcd.example\n192.0.2.7 barn\n");
    }

    #[test]
    fn the_configuration_says_whom_kube_apiserver_calls() {
        let text = "
spec:
  api:
    extraArgs:
      oidc-issuer-url: https://me@Login.Example.:8443/farm
      oidc-client-id: barn
  storage: {type: etcd, etcd: {externalCluster: {endpoints: ['https://etcd.example:2379', 'https://192.0.2.9:2379']}}}
";
        let settings = Settings::validate(&Raw::parse(text).expect("well-formed"), "tower").expect("valid");
        let wanted = ["login.example", "etcd.example", "192.0.2.9"].map(str::to_owned);
        assert_eq!(called(&settings), BTreeSet::from(wanted));
    }

    proptest! {
        #[test]
        fn a_node_has_one_address_whatever_the_machine_says(machine in "([0-9.]{1,9}|barn|BARN|#| |\t|\n){0,30}") {
            let nodes = BTreeMap::from([("barn".to_owned(), IpAddr::from([192, 0, 2, 7]))]);
            let text = table(&machine, &nodes, &BTreeSet::new());
            let of_barn = |line: &&str| line.split_whitespace().skip(1).any(|name| name.eq_ignore_ascii_case("barn"));
            prop_assert_eq!(text.lines().filter(of_barn).collect::<Vec<_>>(), ["192.0.2.7 barn"]);
        }
    }
}
