//! The API on a worker's loopback: each connection to a controller that answers.

use std::time::Duration;

use skerry_formats::token::Server;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

use super::{
    accept,
    talk::{Talk, converse},
};
use crate::sys::net;

/// How long a controller may take to take a connection before the next is tried.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a controller may take to answer the first words, where there is another. TLS answers at once; kubelets wait for 10 s.
const ANSWER: Duration = Duration::from_secs(5);

/// What a connection taught about a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
enum News {
    /// It took the connection, and was asked first.
    Kept(Server),
    /// It took the connection, and those that were asked before it did not.
    Took(Server),
    /// It had not said a word when the connection ended, or not in time: it or kube-apiserver behind it is gone or stuck.
    Silent(Server),
}

/// Serves for as long as the process lives. The controller that answered last is asked first; when it does not, or says
/// nothing, the next in the list is, so that a node holds on to a good one and all nodes leave a dead one.
pub async fn balance(listener: TcpListener, servers: watch::Receiver<Vec<Server>>) {
    let mut best: Option<Server> = None;
    let (give, mut take) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            Some(news) = take.recv() => best = next(&servers.borrow(), best, news),
            (client, _) = accept::next(|| listener.accept()) => {
                let order = order(&servers.borrow(), best.as_ref());
                tokio::spawn(attend(client, order, give.clone()));
            }
        }
    }
}

async fn attend(client: TcpStream, order: Vec<Server>, give: mpsc::UnboundedSender<News>) {
    // A controller that has no other is waited for: it may only be slow.
    let patience = if order.len() > 1 { ANSWER } else { Duration::MAX };
    let favourite = order.first().cloned();
    let Some((server, stream)) = first(order).await else { return };
    let news = if favourite.as_ref() == Some(&server) { News::Kept } else { News::Took };
    // The balancer lives as long as the process: it hears.
    let _ = give.send(news(server.clone()));
    let _ = client.set_nodelay(true);
    let (talk, done) = converse(client, stream, patience).await;
    if let Err(error) = done {
        tracing::debug!(%error, "a connection to the API ended");
    }
    if talk == Talk::Silent {
        let _ = give.send(News::Silent(server));
    }
}

/// Whom to ask first from now on. A connection that was begun before its controller turned out to be silent does not bring that
/// one back.
fn next(servers: &[Server], best: Option<Server>, news: News) -> Option<Server> {
    let best = best.filter(|best| servers.contains(best));
    match news {
        News::Kept(server) => best.or(Some(server)),
        News::Took(server) => Some(server),
        News::Silent(server) if best.as_ref() == Some(&server) => {
            let place = servers.iter().position(|known| *known == server)?;
            servers.get((place + 1) % servers.len()).cloned()
        }
        News::Silent(_) => best,
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
    use std::time::Duration;

    use proptest::prelude::*;
    use skerry_formats::token::Server;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        sync::watch,
    };

    use super::{News, balance, next, order};

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

    #[test]
    fn one_that_says_nothing_is_left_for_the_next() {
        let all = servers(3);
        let best = |index: usize| Some(all[index].clone());
        assert_eq!(next(&all, best(2), News::Silent(all[2].clone())), best(0));
        assert_eq!(next(&all, best(1), News::Silent(all[2].clone())), best(1), "an older connection's news");
        assert_eq!(next(&all, best(1), News::Took(all[2].clone())), best(2));
        assert_eq!(next(&all, None, News::Kept(all[0].clone())), best(0));
        assert_eq!(next(&all, best(1), News::Kept(all[0].clone())), best(1), "that was begun before it was left");
        assert_eq!(
            next(&all[..2], best(2), News::Kept(all[0].clone())),
            best(0),
            "the other is not in the list any more"
        );
        assert_eq!(next(&all[..1], best(2), News::Silent(all[2].clone())), None, "it is not in the list any more");
    }

    async fn listen() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.expect("a port")
    }

    /// A balancer before two controllers, of which the second says `here`; where it is.
    async fn before(bad: &TcpListener) -> String {
        let (good, front) = (listen().await, listen().await);
        let at = |listener: &TcpListener| listener.local_addr().expect("an address").to_string();
        let list = watch::Sender::new([bad, &good].map(|listener| at(listener).parse().expect("valid")).to_vec());
        let place = at(&front);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = good.accept().await {
                stream.write_all(b"here").await.expect("heard");
            }
        });
        tokio::spawn(balance(front, list.subscribe()));
        place
    }

    #[tokio::test]
    async fn a_controller_whose_api_is_gone_is_left() {
        let gone = listen().await;
        let place = before(&gone).await;
        tokio::spawn(async move {
            while let Ok((stream, _)) = gone.accept().await {
                drop(stream);
            }
        });
        let mut said = Vec::new();
        while said.is_empty() {
            let mut stream = TcpStream::connect(&place).await.expect("the balancer");
            let _reset = stream.read_to_end(&mut said).await;
        }
        assert_eq!(said, b"here");
    }

    #[tokio::test]
    async fn a_controller_that_is_frozen_is_left_when_a_caller_gives_up() {
        // Nobody takes what its kernel took.
        let frozen = listen().await;
        let place = before(&frozen).await;
        let (mut said, mut tries) = (Vec::new(), 0..20);
        while said.is_empty() && tries.next().is_some() {
            let mut stream = TcpStream::connect(&place).await.expect("the balancer");
            stream.write_all(b"hello").await.expect("said");
            let _gave_up = tokio::time::timeout(Duration::from_millis(100), stream.read_to_end(&mut said)).await;
        }
        assert_eq!(said, b"here");
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
