//! `sk8s status components`: what each supervised process is, and what it costs.

use serde::Serialize;
use skerry_formats::status::{Component, Status};

use super::state_word;

/// A supervised process and its memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// What its supervisor knows.
    #[serde(flatten)]
    pub component: Component,
    /// Its proportional memory in KiB; `None` while it does not run, or where we may not look.
    pub pss_kib: Option<u64>,
}

/// Every component, its memory looked up by `pss` from its process id.
#[must_use]
pub fn rows(status: &Status, pss: impl Fn(u32) -> Option<u64>) -> Vec<Row> {
    let row = |component: &Component| Row { component: component.clone(), pss_kib: component.pid.and_then(&pss) };
    status.components.iter().map(row).collect()
}

/// The proportional set size in the text of proc_pid_smaps_rollup(5), in KiB.
#[must_use]
pub fn pss_kib(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A table, with the sum below it.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<26}{:<10}{:>8}{:>10}{:>12}  LAST EXIT\n", "NAME", "STATE", "PID", "RESTARTS", "MEMORY");
    let memory = |kib: Option<u64>| kib.map_or_else(|| "-".to_owned(), mib);
    for Row { component, pss_kib } in rows {
        let Component { name, state, pid, restarts, last_exit } = component;
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let (state, exit) = (state_word(*state), last_exit.as_deref().unwrap_or("-"));
        text.push_str(&format!("{name:<26}{state:<10}{pid:>8}{restarts:>10}{:>12}  {exit}\n", memory(*pss_kib)));
    }
    let sum = rows.iter().map(|row| row.pss_kib).sum::<Option<u64>>();
    text.push_str(&format!("{:<26}{:<10}{:>8}{:>10}{:>12}\n", "all", "", "", "", memory(sum)));
    text
}

fn mib(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests {
    use skerry_formats::{
        role::Role,
        status::{Component, ComponentState, Phase, Status},
    };

    use super::*;

    fn status() -> Status {
        let component = |name: &str, state, pid, last_exit: Option<&str>| Component {
            name: name.to_owned(),
            state,
            pid,
            restarts: u32::from(last_exit.is_some()),
            last_exit: last_exit.map(ToOwned::to_owned),
        };
        Status {
            version: "v1.36.3+sk8s.1".into(),
            role: Role::Single,
            node: "barn".into(),
            phase: Phase::Ready,
            waiting_for: String::new(),
            components: vec![
                component("kine", ComponentState::Ready, Some(411), None),
                component("kube-controller-manager", ComponentState::Ready, Some(412), Some("signal: 9 (SIGKILL)")),
            ],
            timeline: Vec::new(),
            charts: Vec::new(),
        }
    }

    #[test]
    fn the_table_is_the_golden_one() {
        let rows = rows(&status(), |pid| Some(u64::from(pid) * 100));
        crate::golden::check("status-components.txt", &table(&rows));
    }

    #[test]
    fn a_sum_of_what_is_not_known_is_not_told() {
        let rows = rows(&status(), |pid| (pid == 411).then_some(10));
        assert!(table(&rows).ends_with("           -\n"));
    }

    #[test]
    fn json_has_the_supervisors_words_and_the_memory() {
        let rows = rows(&status(), |_| None);
        let json = serde_json::to_value(&rows[0]).expect("plain");
        let wanted = serde_json::json!({"name": "kine", "state": "ready", "pid": 411, "restarts": 0, "last-exit": null, "pss-kib": null});
        assert_eq!(json, wanted);
    }

    #[test]
    fn proportional_memory_is_read_from_the_kernels_words() {
        let rollup = "55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss:  9000 kB\nPss:    4321 kB\nPss_Dirty: 1 kB\n";
        assert_eq!(pss_kib(rollup), Some(4321));
        assert_eq!(pss_kib(""), None);
    }
}
