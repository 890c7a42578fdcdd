//! The status socket: who connects is told the status as one line of JSON, and hung up on.

pub mod components;

use std::{
    io::{self, Read as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use skerry_formats::status::{ChartState, ChartStatus, Component, ComponentState, Phase, Status};
use tokio::{io::AsyncWriteExt as _, net::UnixListener, sync::watch};

use crate::sys::fs;

/// A status that could not be had or given.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Nobody answers.
    #[error("sk8s does not answer at `{}`", .path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// The answer is no status.
    #[error("sk8s answered something else at `{}`", .path.display())]
    Answer {
        /// The socket.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// Answers for as long as the process lives.
///
/// # Errors
/// If the socket cannot be made.
pub async fn serve(path: &Path, board: watch::Receiver<Arc<Status>>) -> Result<(), StatusError> {
    let failed = |source| StatusError::Socket { path: path.to_owned(), source };
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, "a stale status socket stays");
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    loop {
        let (mut stream, _) = listener.accept().await.map_err(failed)?;
        let answer = serde_json::to_vec(&**board.borrow());
        let write = async move { stream.write_all(&answer.unwrap_or_default()).await };
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(2), write).await {
            tracing::debug!(%error, "status not taken");
        }
    }
}

/// Asks a running sk8s.
///
/// # Errors
/// If none answers.
pub fn ask(path: &Path) -> Result<Status, StatusError> {
    let failed = |source| StatusError::Socket { path: path.to_owned(), source };
    let mut stream = UnixStream::connect(path).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    serde_json::from_slice(&answer).map_err(|source| StatusError::Answer { path: path.to_owned(), source })
}

/// The process that listens there; `None` if none does.
#[must_use]
pub fn pid(path: &Path) -> Option<i32> {
    let stream = UnixStream::connect(path).ok()?;
    getsockopt(&stream, PeerCredentials).ok().map(|peer| peer.pid())
}

/// The status for people.
#[must_use]
pub fn text(status: &Status) -> String {
    let Status { version, role, node, phase, .. } = status;
    let mut text = format!("node {node}  role {role}  {}  {version}\n", phase_word(*phase));
    if !status.waiting_for.is_empty() {
        text.push_str(&format!("waiting for: {}\n", status.waiting_for));
    }
    for component in &status.components {
        text.push_str(&line(component));
    }
    status.charts.iter().for_each(|chart| text.push_str(&chart_line(chart)));
    text
}

fn chart_line(chart: &ChartStatus) -> String {
    let ChartStatus { release, state, why } = chart;
    let why = why.as_ref().map(|why| format!("  {why}")).unwrap_or_default();
    format!("chart {release:<26}{}{why}\n", chart_word(*state))
}

const fn chart_word(state: ChartState) -> &'static str {
    match state {
        ChartState::Waiting => "waiting",
        ChartState::Working => "working",
        ChartState::Deployed => "deployed",
        ChartState::Failed => "failed",
        ChartState::Removing => "removing",
    }
}

fn line(component: &Component) -> String {
    let Component { name, state, pid, restarts, last_exit } = component;
    let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let mut line = format!("{name:<26}{:<10}{pid:>8}", state_word(*state));
    if *restarts > 0 {
        line.push_str(&format!("  restarts: {restarts}"));
    }
    if let Some(exit) = last_exit {
        line.push_str(&format!("  last exit: {exit}"));
    }
    line.push('\n');
    line
}

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Ready => "ready",
        Phase::Degraded => "degraded",
        Phase::Stopping => "stopping",
    }
}

const fn state_word(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Waiting => "waiting",
        ComponentState::Starting => "starting",
        ComponentState::Ready => "ready",
        ComponentState::BackOff => "back-off",
        ComponentState::Stopped => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use skerry_formats::{
        role::Role,
        status::{ChartState, ChartStatus, Component, ComponentState, Phase, Status},
    };

    #[test]
    fn the_text_is_the_golden_one() {
        let component = |name: &str, state, pid, last_exit: Option<&str>| Component {
            name: name.to_owned(),
            state,
            pid,
            restarts: u32::from(last_exit.is_some()),
            last_exit: last_exit.map(ToOwned::to_owned),
        };
        let status = Status {
            version: "v1.36.3+sk8s.1".into(),
            role: Role::Single,
            node: "barn".into(),
            phase: Phase::Degraded,
            waiting_for: "kine: signal: 9 (SIGKILL)".into(),
            components: vec![
                component("kine", ComponentState::BackOff, None, Some("signal: 9 (SIGKILL)")),
                component("kube-controller-manager", ComponentState::Ready, Some(412), None),
            ],
            timeline: Vec::new(),
            charts: vec![
                ChartStatus { release: "default/web".into(), state: ChartState::Deployed, why: None },
                ChartStatus {
                    release: "shop/shop".into(),
                    state: ChartState::Failed,
                    why: Some("chart not found".into()),
                },
            ],
        };
        crate::golden::check("status.txt", &super::text(&status));
    }
}
