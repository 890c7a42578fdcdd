//! Tells systemd that the daemon is up (`sd_notify(3)`).

use std::{env, io, os::unix::net::UnixDatagram};

/// systemd could not be told.
#[derive(Debug, thiserror::Error)]
#[error("systemd could not be told that the agent is up")]
pub struct NotifyError(#[source] io::Error);

/// Says that the daemon is ready, if systemd asked for it.
///
/// # Errors
/// If systemd's socket cannot be reached.
pub fn ready() -> Result<(), NotifyError> {
    let Some(socket) = env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let sent = UnixDatagram::unbound().and_then(|own| own.send_to(b"READY=1\n", socket));
    sent.map(|_| ()).map_err(NotifyError)
}
