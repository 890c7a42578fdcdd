//! The API on a worker's loopback: each connection to a controller that answers.

use std::{io, time::Duration};

use skerry_formats::token::Server;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::call::splice;
use crate::sys::net;

/// How long a controller may take to take a connection before the next is tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves for as long as the process lives. The controller that answered last is asked first; when it does not, the next in
/// the list is, so that a node holds on to a good one and all nodes leave a dead one.
///
/// # Errors
/// If the port is taken.
pub async fn balance(listener: TcpListener, servers: watch::Receiver<Vec<Server>>) -> io::Result<()> {
    let mut best: Option<Server> = None;
    let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
    loop {
        tokio::select! {
            Some(answered) = take.recv() => best = Some(answered),
            accepted = listener.accept() => {
                let (client, _) = accepted?;
                let order = order(&servers.borrow(), best.as_ref());
                let give = give.clone();
                tokio::spawn(async move {
                    let Some((server, stream)) = first(order).await else { return };
                    let _ = give.send(server);
                    let _ = client.set_nodelay(true);
                    if let Err(error) = splice(client, stream).await {
                        tracing::debug!(%error, "a connection to the API ended");
                    }
                });
            }
        }
    }
}

/// The servers, beginning with the best and going round.
fn order(servers: &[Server], best: Option<&Server>) -> Vec<Server> {
    let start = servers.iter().position(|server| Some(server) == best).unwrap_or(0);
    servers[start..].iter().chain(&servers[..start]).cloned().collect()
}

async fn first(order: Vec<Server>) -> Option<(Server, TcpStream)> {
    for server in order {
        if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, TcpStream::connect(server.host_and_port())).await {
            if let Err(error) = net::keep_alive(&stream) {
                tracing::debug!(%error, "a connection without signs of life");
            }
            return Some((server, stream));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skerry_formats::token::Server;

    use super::order;

    fn servers(count: u8) -> Vec<Server> {
        (0..count).map(|n| format!("192.0.2.{n}").parse().expect("valid")).collect()
    }

    #[test]
    fn the_one_that_answered_last_is_asked_first() {
        let all = servers(3);
        let asked = order(&all, Some(&all[1]));
        assert_eq!(asked, [all[1].clone(), all[2].clone(), all[0].clone()]);
        assert_eq!(order(&all, None), all);
    }

    proptest! {
        #[test]
        fn every_server_is_asked_once(count in 0_u8..9, best in 0_u8..12) {
            let all = servers(count);
            let mut asked = order(&all, Some(&servers(12)[usize::from(best)]));
            asked.sort();
            let mut sorted = all;
            sorted.sort();
            prop_assert_eq!(asked, sorted);
        }
    }
}
