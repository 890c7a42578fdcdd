//! Runs a node from the first look at the machine to the last component's end.

use std::{path::PathBuf, time::Duration};

use skerry_formats::{digest::Digest, node_address::NodeAddress, token::JoinToken};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    appoint::{self, Newcomer},
    care, linked,
    prepare::{self, NodeError},
    standing::{self, Standing},
    tasks, upgrade,
};
use crate::{
    backup::{self, Subject},
    config::{Raw, Settings},
    datastore,
    duty::Duty,
    join::TokenRecord,
    paths::Paths,
    pki::{self, Cluster},
    shutdown, status,
    supervisor::{Board, Command, Driver, Handle, board, chain},
    sys::{
        accounts::Account,
        addresses::sought,
        clock::{self, Stopwatch},
        fs::{self, Access},
        machine::{self, Machine},
    },
};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Order {
    /// What the node does.
    pub duty: Duty,
    /// What the node is to be, as its owner wrote it.
    pub raw: Raw,
    /// What the node is to be.
    pub settings: Settings,
    /// Where things are.
    pub paths: Paths,
    /// What a worker joins with, if it has not joined yet.
    pub token: Option<JoinToken>,
    /// Its configuration file, which may not be there.
    pub config: PathBuf,
    /// The digest of that file's text, if it is there.
    pub text: Option<Digest>,
    /// Tokens that a controller makes known.
    pub tokens: Vec<TokenRecord>,
}

/// Runs a node until it is told to end by SIGTERM or SIGINT.
///
/// # Errors
/// If it cannot be made ready; what fails later is the supervisor's to mend.
pub async fn run(mut order: Order) -> Result<(), NodeError> {
    let clock = Stopwatch::start();
    fs::create_folder(&order.paths.run, Access::Public, Account::ROOT)?;
    record(&order)?;
    let wish = order.settings.node_address.clone();
    let board = board(order.duty.role(), order.settings.node.as_str(), &sought(wish.as_ref()));
    serve_status(&order.paths, &board);
    if order.duty.controls() {
        backup::unfinished(&order.paths)?;
        datastore::present(&order.settings.storage, &order.paths)?;
    }
    let machine = address(wish.as_ref()).await;
    let tokens = std::mem::take(&mut order.tokens);
    let Some(standing) = stand(&mut order, &machine, &board).await? else { return Ok(()) };
    let subject =
        Subject { settings: order.settings.clone(), paths: order.paths.clone(), config: order.config.clone() };
    if order.duty.controls() {
        datastore::check(&order.settings.storage, &order.paths)?;
        upgrade::take_over(&subject)?;
    }
    let (node, keys) = prepare::prepare(order, machine, standing)?;
    let lines = linked::link(&node, keys)?;
    let (driver, handle) = Driver::new(node.components()?, lines.client.subscribe(), clock, board.clone());
    attend(&handle, node.duty.works().then_some(&node.paths));
    if node.duty.controls() {
        tokio::spawn(backup::follow(subject, handle.clone()));
    }
    tokio::spawn(tasks::run(node.clone(), lines.client.subscribe(), (handle.clone(), board)));
    tokio::spawn(tasks::make_known(tokens, lines.client.subscribe(), handle.clone()));
    tokio::spawn(care::care(node, lines, handle));
    driver.run().await;
    Ok(())
}

/// By this `sk8s config status` tells whether the file has changed since.
fn record(order: &Order) -> Result<(), fs::FsError> {
    let path = order.paths.started_with();
    match order.text {
        Some(digest) => {
            let line = format!("{digest}  {}\n", order.config.display());
            fs::write(&path, line.as_bytes(), Access::Public, Account::ROOT)
        }
        None => fs::remove_file(&path),
    }
}

/// A new key in the place of a lost one would leave every Secret unreadable.
fn same_keyring(paths: &Paths) -> Result<Cluster, NodeError> {
    match (datastore::objects(paths), pki::load_keyring(&paths.pki())?) {
        (Some(objects), None) => Err(NodeError::NoKeyring { keyring: pki::keyring_path(&paths.pki()), objects }),
        (Some(_), Some(_)) => Ok(Cluster::Begun),
        (None, _) => Ok(Cluster::New),
    }
}

/// What a node is by its owner's words alone.
fn whole(order: &Order) -> Result<Settings, NodeError> {
    Settings::validate(&order.raw, order.settings.node.as_str()).map_err(NodeError::Invalid)
}

/// A controller's keys are made where there are none, unless it joins others; a worker asks to be let in, unless it has been. `None` if it is told
/// to end before.
async fn stand(order: &mut Order, machine: &Machine, board: &Board) -> Result<Option<Standing>, NodeError> {
    let newcomer = Newcomer { paths: &order.paths, raw: &order.raw, settings: &order.settings, machine };
    if order.duty.controls() {
        if order.duty.admits() {
            let joining = appoint::appoint(newcomer, order.token.as_ref(), board);
            let agreed = tokio::select! {
                agreed = joining => agreed?,
                () = told_to_end() => return Ok(None),
            };
            match agreed {
                Some(agreed) => (order.raw, order.settings) = agreed,
                // It tells itself, and its own words are all there is.
                None => order.settings = whole(order)?,
            }
        }
        let cluster = same_keyring(&order.paths)?;
        let identity = pki::load_or_make(&order.paths.pki(), &order.settings, cluster, clock::now())?;
        return Ok(Some(Standing::Owner(identity)));
    }
    let joining = standing::enrol(newcomer, order.token.as_ref(), board);
    let member = tokio::select! {
        member = joining => member?,
        () = told_to_end() => return Ok(None),
    };
    order.settings = standing::shared(&member, &order.raw)?;
    Ok(Some(Standing::Member(member)))
}

async fn told_to_end() {
    let heard = |kind| async move {
        match signal(kind) {
            Ok(mut stream) => stream.recv().await.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = heard(SignalKind::terminate()) => {}
        () = heard(SignalKind::interrupt()) => {}
    }
}

fn serve_status(paths: &Paths, board: &Board) {
    let (socket, reader) = (paths.status_socket(), board.subscribe());
    tokio::spawn(async move {
        if let Err(error) = status::serve(&socket, reader).await {
            tracing::error!(error = %chain(&error), "no status");
        }
    });
}

/// Waits until the machine has an address, and one that is wished for: a cluster cannot tell its pods where the API is without
/// one.
async fn address(wish: Option<&NodeAddress>) -> Machine {
    let mut told = false;
    loop {
        if let Some(machine) = machine::observe(wish) {
            return machine;
        }
        if !told {
            tracing::info!("waiting for {}", sought(wish));
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How to end: with the pods that may be here, if the machine goes down.
async fn how(pods: Option<Paths>) -> Command {
    let Some(paths) = pods else { return Command::Stop };
    let down = tokio::task::spawn_blocking(shutdown::is_under_way).await;
    if down.unwrap_or_default() { Command::SwitchOff(paths) } else { Command::Stop }
}

fn attend(handle: &Handle, pods: Option<&Paths>) {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (handle, pods) = (handle.clone(), pods.cloned());
        match signal(kind) {
            Ok(mut stream) => {
                tokio::spawn(async move {
                    while stream.recv().await.is_some() {
                        handle.ask(how(pods.clone()).await).await;
                    }
                });
            }
            Err(error) => tracing::error!(%error, "deaf to signals"),
        }
    }
}
