//! kine: etcd's protocol over a Unix socket, on SQLite in a file or on a database server.

use std::time::Duration;

use super::{
    Plan, share,
    spec::{ComponentId, ComponentSpec, Handover, KillScope, Probe},
};
use crate::config::DataSource;

const ID: ComponentId = ComponentId::Kine;

/// In the spelling of the SQLite driver that needs no C: it ignores words of the other driver's, and the writers that
/// then get SQLITE_BUSY take kube-apiserver down. `NORMAL` is upstream's choice and spares flash: docs/storage.md says what it costs.
const OPTIONS: &str = "_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_txlock=immediate";

/// The variable that kine takes its data source from, where an argument would show a password to all who list processes.
pub const SOURCE_VARIABLE: &str = "KINE_ENDPOINT";

pub(super) fn spec(plan: &Plan<'_>, source: &DataSource) -> ComponentSpec {
    let mut args = vec![
        format!("--listen-address=unix://{}", plan.paths.kine_socket().display()),
        "--metrics-bind-address=0".to_owned(),
        "--datastore-max-idle-connections=2".to_owned(),
    ];
    let mut env = share::environment(ID, plan.machine);
    match source {
        DataSource::Sqlite => {
            args.insert(0, format!("--endpoint=sqlite://{}?{OPTIONS}", plan.paths.sqlite().display()));
        }
        DataSource::Mysql(url) | DataSource::Postgres(url) => env.push((SOURCE_VARIABLE, url.clone())),
    }
    let socket = plan.paths.kine_socket();
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("kine"),
        args,
        env,
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: Vec::new(),
        probe: Probe::Grpc(socket.clone()),
        grace: Duration::from_secs(10),
        scope: KillScope::Group,
        handover: Some(Handover { path: socket, to: ComponentId::KubeApiserver.account(plan.machine) }),
    }
}
