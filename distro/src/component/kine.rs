//! kine on SQLite: etcd's protocol over a Unix socket.

use std::time::Duration;

use super::{
    Plan, memory,
    spec::{ComponentId, ComponentSpec, Handover, KillScope, Probe},
};

const ID: ComponentId = ComponentId::Kine;

/// In the spelling of the SQLite driver that needs no C: it ignores words of the other driver's, and the writers that
/// then get SQLITE_BUSY take kube-apiserver down.
const OPTIONS: &str = "_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_txlock=immediate";

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let database = plan.paths.data.join("db/state.db");
    let socket = plan.paths.kine_socket();
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("kine"),
        args: vec![
            format!("--endpoint=sqlite://{}?{OPTIONS}", database.display()),
            format!("--listen-address=unix://{}", socket.display()),
            "--metrics-bind-address=0".to_owned(),
            "--datastore-max-idle-connections=2".to_owned(),
        ],
        env: memory::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: memory::limits(ID, plan.machine),
        needs: Vec::new(),
        probe: Probe::Socket(socket.clone()),
        grace: Duration::from_secs(10),
        scope: KillScope::Group,
        handover: Some(Handover { path: socket, to: ComponentId::KubeApiserver.account(plan.machine) }),
    }
}
