//! What the node is told, to the letter.

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::{
    conflist::{Bridge, Leaving},
    masquerade,
    ready::parts_of,
    subnet_file::SubnetFile,
};
use crate::config::Subnet;

const WRITTEN: &str =
    "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.3.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n";

fn subnet(text: &str) -> Subnet {
    text.parse().expect("a subnet")
}

#[test]
fn one_node_of_several_has_its_subnet_and_mtu_and_leaves_masquerading_to_the_rule() {
    let made = SubnetFile::parse(WRITTEN).expect("flannel's own");
    let addresses = Path::new("/run/sk8s/addresses");
    let bridge =
        Bridge { subnet: made.subnet, second: made.second, mtu: Some(made.mtu), leaving: Leaving::ByRule, addresses };
    assert_eq!(bridge.conflist(), include_str!("../../golden/conflist-several.json"));
}

#[test]
fn the_masquerading_rule_is_the_golden_one() {
    assert_eq!(masquerade::rules(subnet("10.244.0.0/16"), None), include_str!("../../golden/masquerade.nft"));
}

#[test]
fn the_bridges_address_becomes_the_nodes_subnet() {
    let made = SubnetFile::parse(WRITTEN).expect("flannel's own");
    assert_eq!((made.subnet, made.mtu.bytes()), (subnet("10.244.3.0/24"), 1450));
}

#[test]
fn with_two_families_pods_have_two_addresses_and_both_are_masqueraded() {
    let made =
        SubnetFile::parse(&format!("{WRITTEN}FLANNEL_IPV6_SUBNET=fd00:10:244:3::1/64\n")).expect("flannel's own");
    let addresses = Path::new("/run/sk8s/addresses");
    let Some(second) = made.second else { panic!("there is a second") };
    let bridge = Bridge { subnet: made.subnet, second: Some(second), mtu: None, leaving: Leaving::ByRule, addresses };
    let list: serde_json::Value = serde_json::from_str(&bridge.conflist()).expect("JSON");
    let ipam = &list["plugins"][0]["ipam"];
    assert_eq!(ipam["ranges"], json!([[{ "subnet": "10.244.3.0/24" }], [{ "subnet": "fd00:10:244:3::/64" }]]));
    assert_eq!(ipam["routes"], json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]));
    let rules = masquerade::rules(subnet("10.244.0.0/16"), Some("fd00:10:244::/56".parse().expect("a subnet")));
    assert!(rules.contains("\t\tip6 saddr fd00:10:244::/56 ip6 daddr != { fd00:10:244::/56, ff00::/8 } masquerade"));
}

#[test]
fn what_a_subnet_file_lacks_is_named() {
    let error = |text: &str| SubnetFile::parse(text).expect_err("not flannel's").to_string();
    assert_eq!(error(""), "flannel's subnet file: no good `FLANNEL_SUBNET`");
    assert_eq!(error("FLANNEL_SUBNET=fd00::1/64\nFLANNEL_MTU=1450"), "flannel's subnet file: no good `FLANNEL_SUBNET`");
    for mtu in ["", "0", "67", "65536", "many"] {
        let text = format!("FLANNEL_SUBNET=10.244.3.1/24\nFLANNEL_MTU={mtu}\n");
        assert_eq!(error(&text), "flannel's subnet file: no good `FLANNEL_MTU`", "{mtu}");
    }
}

#[test]
fn a_node_without_a_subnet_is_no_error_but_a_bad_one_is() {
    let parts = |spec| parts_of(&json!({ "spec": spec }));
    assert_eq!(parts(json!({})), Ok(None));
    assert_eq!(parts(json!({ "podCIDR": "" })), Ok(None));
    let first = subnet("10.244.1.0/24");
    assert_eq!(parts(json!({ "podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"] })), Ok(Some((first, None))));
    let both = parts(json!({ "podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24", "fd00:10:244:1::/64"] }));
    assert_eq!(both, Ok(Some((first, Some("fd00:10:244:1::/64".parse().expect("a subnet"))))));
    assert!(parts(json!({ "podCIDR": "fd00::/64" })).is_err());
    assert!(parts(json!({ "podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24", "10.0.0.0/24"] })).is_err());
}

proptest! {
    #[test]
    fn any_subnet_file_is_read_or_refused(text in "(FLANNEL_(SUBNET|MTU)=[0-9./]{0,18}\n|\\PC{0,12}\n){0,4}") {
        if let Ok(made) = SubnetFile::parse(&text) {
            prop_assert!((68..=65_535).contains(&made.mtu.bytes()));
        }
    }
}
