//! What kube-apiserver takes for `/etc/hosts` (`hosts(5)`): it calls nodes by their names, which only the link has to know, and
//! looks a name up before it hands a request on to a node (`nodes/NAME/proxy`), so as to refuse what leads to the machine itself.

use std::{collections::BTreeMap, net::IpAddr, path::Path, time::Duration};

use super::egress::Ways;
use crate::{
    supervisor::chain,
    sys::{
        accounts::Account,
        fs::{self, Access},
    },
};

/// How often is looked who is linked.
const PERIOD: Duration = Duration::from_secs(2);

/// The machine's own table, with the nodes as they are known here in the place of what it says of their names. Debian's, for one,
/// has the machine's own name on loopback.
#[must_use]
pub fn table(machine: &str, nodes: &BTreeMap<String, IpAddr>) -> String {
    let mut text = String::new();
    for line in machine.lines().filter_map(|line| line.split('#').next()) {
        let mut words = line.split_whitespace();
        let Some(address) = words.next() else { continue };
        let names: Vec<&str> = words.filter(|name| !nodes.contains_key(&name.to_ascii_lowercase())).collect();
        if !names.is_empty() {
            text.push_str(&format!("{address} {}\n", names.join(" ")));
        }
    }
    text.extend(nodes.iter().map(|(name, address)| format!("{address} {name}\n")));
    text
}

/// Keeps the table as it should be, for as long as the process lives. What cannot be written is told once.
pub async fn keep(path: &Path, owner: Account, ways: Ways) {
    let mut written = String::new();
    let mut told = false;
    loop {
        let text = table(&fs::read_lossy(Path::new("/etc/hosts")).unwrap_or_default(), &nodes(&ways));
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
    use std::{collections::BTreeMap, net::IpAddr};

    use proptest::prelude::*;

    use super::table;

    #[test]
    fn a_node_is_where_it_is_and_others_are_where_the_machine_says() {
        let machine =
            "127.0.0.1 localhost\n# a comment\n127.0.1.1 barn.farm.example Barn # ours\n192.0.2.9 well mill\n\n";
        let nodes =
            [("barn", [192, 0, 2, 7]), ("mill", [10, 9, 9, 2])].map(|(name, ip)| (name.into(), IpAddr::from(ip)));
        let wanted =
            "127.0.0.1 localhost\n127.0.1.1 barn.farm.example\n192.0.2.9 well\n192.0.2.7 barn\n10.9.9.2 mill\n";
        assert_eq!(table(machine, &BTreeMap::from(nodes)), wanted);
    }

    proptest! {
        #[test]
        fn a_node_has_one_address_whatever_the_machine_says(machine in "([0-9.]{1,9}|barn|BARN|#| |\t|\n){0,30}") {
            let nodes = BTreeMap::from([("barn".to_owned(), IpAddr::from([192, 0, 2, 7]))]);
            let text = table(&machine, &nodes);
            let of_barn = |line: &&str| line.split_whitespace().skip(1).any(|name| name.eq_ignore_ascii_case("barn"));
            prop_assert_eq!(text.lines().filter(of_barn).collect::<Vec<_>>(), ["192.0.2.7 barn"]);
        }
    }
}
