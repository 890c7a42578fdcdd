//! Files of k0s's, each with what becomes of it and what there is to tell.

use super::{Weight, import};
use crate::{
    component::tests::golden,
    config::{Raw, Settings},
};

/// Converts `golden/import/NAME.k0s.yaml`; what comes of it can be used, unless it is told to be refused.
fn convert(name: &str, text: &str) {
    let imported = import(text).expect("a file of k0s's");
    let remarks: String = imported.remarks.iter().map(|remark| format!("{remark}\n")).collect();
    golden(&format!("import/{name}.sk8s.yaml"), &imported.text);
    golden(&format!("import/{name}.remarks.txt"), &remarks);
    let refused = imported.remarks.iter().any(|remark| remark.weight == Weight::Refused);
    let raw = Raw::parse(&imported.text).expect("a configuration of ours");
    assert_eq!(Settings::check(&raw, "barn").is_err(), refused, "{name}");
}

#[test]
fn the_file_that_k0s_prints_is_converted() {
    convert("default", include_str!("../../../golden/import/default.k0s.yaml"));
}

#[test]
fn the_file_of_an_available_cluster_is_converted() {
    convert("available", include_str!("../../../golden/import/available.k0s.yaml"));
}

#[test]
fn the_file_of_a_cluster_with_calico_is_converted() {
    convert("calico", include_str!("../../../golden/import/calico.k0s.yaml"));
}

#[test]
fn the_file_of_a_tuned_single_node_is_converted() {
    convert("edge", include_str!("../../../golden/import/edge.k0s.yaml"));
}

#[test]
fn what_sk8s_refuses_is_told() {
    convert("refused", include_str!("../../../golden/import/refused.k0s.yaml"));
}

#[test]
fn only_files_of_k0s_are_converted() {
    let error = import("apiVersion: v1\nkind: Pod\n").expect_err("a pod").to_string();
    assert_eq!(error, "`apiVersion` is `v1`; wanted: `k0s.k0sproject.io/v1beta1`");
    assert!(import("spec: [").is_err());
    assert!(import("spec: {api: {sans: {a: b}}}").is_err());
}

#[test]
fn nothing_is_dropped_without_a_word() {
    for text in
        ["spec: {nonsense: {a: 1}}", "spec: {api: {nonsense: 1}}", "spec: {network: {kubeProxy: {x: 1}}}", "other: 1"]
    {
        let imported = import(text).expect("converted");
        assert!(imported.remarks.iter().any(|remark| remark.weight == Weight::Lost), "{text}");
    }
}
