//! What the node is told, to the letter.

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::{
    conflist::{Bridge, Leaving},
    masquerade,
    ready::subnet_of,
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
    let bridge = Bridge { subnet: made.subnet, mtu: Some(made.mtu), leaving: Leaving::ByRule, addresses };
    assert_eq!(bridge.conflist(), include_str!("../../golden/conflist-several.json"));
}

#[test]
fn the_masquerading_rule_is_the_golden_one() {
    assert_eq!(masquerade::rules(subnet("10.244.0.0/16")), include_str!("../../golden/masquerade.nft"));
}

#[test]
fn the_bridges_address_becomes_the_nodes_subnet() {
    let made = SubnetFile::parse(WRITTEN).expect("flannel's own");
    assert_eq!((made.subnet, made.mtu.bytes()), (subnet("10.244.3.0/24"), 1450));
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
    assert_eq!(subnet_of(&json!({ "spec": {} })), None);
    assert_eq!(subnet_of(&json!({ "spec": { "podCIDR": "" } })), None);
    assert_eq!(subnet_of(&json!({ "spec": { "podCIDR": "10.244.1.0/24" } })), Some(Ok(subnet("10.244.1.0/24"))));
    assert!(subnet_of(&json!({ "spec": { "podCIDR": "fd00::/64" } })).expect("there is one").is_err());
}

proptest! {
    #[test]
    fn any_subnet_file_is_read_or_refused(text in "(FLANNEL_(SUBNET|MTU)=[0-9./]{0,18}\n|\\PC{0,12}\n){0,4}") {
        if let Ok(made) = SubnetFile::parse(&text) {
            prop_assert!((68..=65_535).contains(&made.mtu.bytes()));
        }
    }
}
