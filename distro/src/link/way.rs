//! Takes the way that a route names: from here, or over nodes' links.

use std::time::Duration;

use tokio::net::TcpStream;

use super::{
    call::{Call, Connected},
    egress::Ways,
    mux::Stream,
    registry::{Came, Linked, Registry},
    route::{Route, route},
};
use crate::{
    config::NodeName,
    join::{read, write},
    supervisor::chain,
};

/// How long a node may take where another could do the same: one that is frozen keeps its link, as its kernel lives.
const TURN: Duration = Duration::from_secs(3);

/// A connection to who was called.
pub enum Way {
    /// From here.
    Direct(TcpStream),
    /// Over a node's link.
    Over(Stream),
}

/// A call that a node did not bring. Display is fit for a status line.
#[derive(Debug, thiserror::Error)]
enum NotBrought {
    /// It has no link.
    #[error("node `{0}` has no link any more")]
    Gone(NodeName),
    /// Its link has no place, or broke.
    #[error("node `{0}`: {1}")]
    Broken(NodeName, String),
    /// It says nothing.
    #[error("node `{0}` does not answer")]
    Silent(NodeName),
    /// It says why.
    #[error("node `{0}`: {1}")]
    Refused(NodeName, String),
}

/// Connects to who was called, for as long as it takes.
///
/// # Errors
/// In words, why there is no connection.
pub async fn connect(call: &Call, ways: &Ways) -> Result<Way, String> {
    let own = ways.own.borrow().clone();
    let route = {
        let linked = ways.registry.in_turn();
        let nodes = linked.iter().map(|(name, linked)| (name, &linked.hello.addresses[..]));
        route(call, (ways.duty, &own), nodes).map_err(|error| error.to_string())?
    };
    match route {
        Route::Direct(address) => {
            TcpStream::connect(address).await.map(Way::Direct).map_err(|error| format!("{address}: {error}"))
        }
        Route::Over(nodes) => any(call, &nodes, &ways.registry).await.map(Way::Over),
    }
}

/// Over the first that answers. One that says no says it for all; the last may take as long as it likes.
async fn any(call: &Call, nodes: &[NodeName], registry: &Registry) -> Result<Stream, String> {
    let Some((last, others)) = nodes.split_last() else { return Err("no node".to_owned()) };
    for node in others {
        match over(call, node, (registry, TURN)).await {
            Ok(stream) => return Ok(stream),
            Err(refused @ NotBrought::Refused(..)) => return Err(refused.to_string()),
            Err(error) => tracing::info!(%error, "another node is asked"),
        }
    }
    over(call, last, (registry, Duration::MAX)).await.map_err(|error| error.to_string())
}

async fn over(call: &Call, node: &NodeName, (registry, patience): (&Registry, Duration)) -> Result<Stream, NotBrought> {
    let linked = registry.find(node).ok_or_else(|| NotBrought::Gone(node.clone()))?;
    let Ok(answer) = tokio::time::timeout(patience, ask(call, &linked)).await else {
        registry.note(node, &linked, Came::Nothing);
        return Err(NotBrought::Silent(node.clone()));
    };
    let (stream, Connected { error }) = answer.map_err(|why| NotBrought::Broken(node.clone(), why))?;
    registry.note(node, &linked, Came::Answer);
    match error {
        None => Ok(stream),
        Some(why) => Err(NotBrought::Refused(node.clone(), one_line(&why))),
    }
}

async fn ask(call: &Call, linked: &Linked) -> Result<(Stream, Connected), String> {
    let broken = |error: &dyn std::error::Error| chain(error);
    let mut stream = linked.opener.open().await.map_err(|error| broken(&error))?;
    write(&mut stream, call).await.map_err(|error| broken(&error))?;
    let answer = read(&mut stream).await.map_err(|error| broken(&error))?;
    Ok((stream, answer))
}

/// Another's words, fit for a status line.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::{mpsc, watch},
        time::Instant,
    };

    use super::{TURN, Way, connect};
    use crate::{
        duty::Duty,
        join::{read, write},
        link::{
            call::{Call, Connected, Hello, Own, tests::own_of},
            egress::Ways,
            mux::{End, Stream, run},
            registry::{Entry, Registry},
        },
    };

    /// A controller without pods; the node's side of what it knows of itself has to live as long.
    fn ways() -> (Ways, watch::Sender<Own>) {
        let own = watch::Sender::new(own_of("tower", 1));
        (Ways { duty: Duty::Controller, own: own.subscribe(), registry: Registry::default() }, own)
    }

    /// Links a node; its side of streams, as the controller opens them.
    fn link(name: &str, registry: &Registry) -> (Entry, mpsc::Receiver<Stream>) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (give, take) = mpsc::channel(64);
        let (opener, one) = run(near, End::Called, mpsc::channel(1).0);
        let (other, two) = run(far, End::Dialled, give);
        tokio::spawn(one);
        tokio::spawn(async move {
            let _for_as_long = other;
            two.await
        });
        (registry.enter(name.parse().expect("valid"), opener, Hello::default()), take)
    }

    /// A node that answers every call so, and then says its name.
    fn answers(name: &'static str, error: Option<&'static str>, mut take: mpsc::Receiver<Stream>) {
        tokio::spawn(async move {
            while let Some(mut stream) = take.recv().await {
                read::<Call>(&mut stream).await.expect("a call");
                let answer = Connected { error: error.map(str::to_owned) };
                write(&mut stream, &answer).await.expect("answered");
                stream.write_all(name.as_bytes()).await.expect("said");
            }
        });
    }

    /// Who answers, or why nobody does.
    async fn called(host: &str, ways: &Ways) -> Result<String, String> {
        match connect(&Call { host: host.to_owned(), port: 8443 }, ways).await? {
            Way::Direct(_) => Err("directly".to_owned()),
            Way::Over(mut stream) => {
                let mut name = String::new();
                stream.read_to_string(&mut name).await.map_err(|error| error.to_string())?;
                Ok(name)
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_frozen_is_passed_over_and_remembered() {
        let (ways, _own) = ways();
        let (_barn, _nobody_takes) = link("barn", &ways.registry);
        let (_shed, take) = link("shed", &ways.registry);
        answers("shed", None, take);
        let start = Instant::now();
        assert_eq!(called("10.96.0.10", &ways).await.as_deref(), Ok("shed"));
        assert_eq!(start.elapsed(), TURN);
        assert_eq!(called("10.244.1.2", &ways).await.as_deref(), Ok("shed"));
        assert_eq!(start.elapsed(), TURN, "it is asked last now");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_whose_link_broke_is_passed_over_at_once() {
        let (ways, _own) = ways();
        let opener = run(tokio::io::duplex(64).0, End::Called, mpsc::channel(1).0).0;
        let _barn = ways.registry.enter("barn".parse().expect("valid"), opener, Hello::default());
        let (_shed, take) = link("shed", &ways.registry);
        answers("shed", None, take);
        let start = Instant::now();
        assert_eq!(called("10.96.0.10", &ways).await.as_deref(), Ok("shed"));
        assert_eq!(start.elapsed().as_secs(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_refuses_speaks_for_all() {
        let (ways, _own) = ways();
        let (_barn, take) = link("barn", &ways.registry);
        answers("barn", Some("10.96.0.10:8443:\nConnection refused"), take);
        let (_shed, take) = link("shed", &ways.registry);
        answers("shed", None, take);
        let refused = "node `barn`: 10.96.0.10:8443:Connection refused";
        assert_eq!(called("10.96.0.10", &ways).await.expect_err("refused"), refused);
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_node_alone_can_do_is_waited_for() {
        let (ways, _own) = ways();
        let (_barn, mut take) = link("barn", &ways.registry);
        tokio::spawn(async move {
            let mut stream = take.recv().await.expect("a stream");
            tokio::time::sleep(TURN * 3).await;
            write(&mut stream, &Connected { error: None }).await.expect("answered");
            stream.write_all(b"late").await.expect("said");
        });
        assert_eq!(called("barn", &ways).await.as_deref(), Ok("late"));
    }
}
