//! `spec.extensions.helm` of k0s's.

use serde_yaml_ng::{Mapping, Value};

use super::work::{Work, scalar};
use crate::config::refused::is_empty;

/// What k0s writes where nobody chose; sk8s has a number of its own then.
const USUAL_AT_ONCE: &str = "5";

/// `concurrencyLevel`.
pub(super) fn at_once(work: &mut Work<'_>, path: &str, value: &Value) {
    if scalar(value).as_deref() != Some(USUAL_AT_ONCE) {
        work.set(path, value.clone());
    }
}

const REPOSITORY: &[&str] = &["name", "url", "caFile", "certFile", "keyfile", "insecure", "username", "password"];
const CHART: &[&str] = &["name", "chartname", "version", "values", "namespace", "timeout", "order", "forceUpgrade"];

/// `repositories`, each with the keys that say something.
pub(super) fn repositories(work: &mut Work<'_>, path: &str, value: &Value) {
    let kept = entries(work, (path, "repository", REPOSITORY), value);
    work.set(path, kept);
}

/// `charts`, likewise.
pub(super) fn charts(work: &mut Work<'_>, path: &str, value: &Value) {
    let mut kept = entries(work, (path, "chart", CHART), value);
    for chart in kept.iter_mut().filter_map(Value::as_mapping_mut) {
        if chart.get("timeout").and_then(scalar).is_some_and(|text| ["0", "0s"].contains(&text.as_str())) {
            chart.remove("timeout");
        }
        if let Some(nanoseconds) = chart.get("timeout").and_then(Value::as_u64) {
            chart.insert("timeout".into(), format!("{nanoseconds}ns").into());
        }
    }
    if !kept.is_empty() {
        let text = "a chart's objects are changed in place; k0s makes them anew unless `forceUpgrade` is false, sk8s if it is true";
        work.note(path, text);
    }
    work.set(path, kept);
}

fn entries(work: &mut Work<'_>, (path, what, known): (&str, &str, &[&str]), value: &Value) -> Vec<Value> {
    let mut kept = Vec::new();
    for entry in value.as_sequence().into_iter().flatten() {
        let name = entry.get("name").and_then(scalar).unwrap_or_default();
        let mut made = Mapping::new();
        for (key, value) in entry.as_mapping().into_iter().flatten().filter(|(_, value)| !is_blank(value)) {
            match scalar(key) {
                Some(word) if !known.contains(&word.as_str()) => {
                    work.lost(path, format!("{what} `{name}`: sk8s has no such key: `{word}`"));
                }
                _ => drop(made.insert(key.clone(), value.clone())),
            }
        }
        kept.push(made.into());
    }
    kept
}

fn is_blank(value: &Value) -> bool {
    is_empty(value) || value.as_str() == Some("")
}
