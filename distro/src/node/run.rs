//! Runs a node from the first look at the machine to the last component's end.

use std::{path::PathBuf, time::Duration};

use skerry_formats::role::Role;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    care,
    prepare::{self, NodeError, Prepared},
    tasks,
};
use crate::{
    backup::{self, Subject},
    config::Settings,
    datastore,
    paths::Paths,
    status,
    supervisor::{Board, Command, Driver, Handle, board, chain},
    sys::{
        accounts::Account,
        clock::Stopwatch,
        fs::{self, Access},
        machine::{self, Machine},
    },
};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Order {
    /// What the node is to be.
    pub settings: Settings,
    /// Its role.
    pub role: Role,
    /// Where things are.
    pub paths: Paths,
    /// Its configuration file, which may not be there.
    pub config: PathBuf,
}

/// Runs a node until it is told to end by SIGTERM or SIGINT.
///
/// # Errors
/// If it cannot be made ready; what fails later is the supervisor's to mend.
pub async fn run(order: Order) -> Result<(), NodeError> {
    let clock = Stopwatch::start();
    fs::create_folder(&order.paths.run, Access::Public, Account::ROOT)?;
    let board = board(order.role, order.settings.node.as_str(), "a network address");
    serve_status(&order.paths, &board);
    backup::unfinished(&order.paths)?;
    datastore::check(&order.settings.storage, &order.paths)?;
    let machine = address().await;
    let subject = Subject { settings: order.settings.clone(), paths: order.paths.clone(), config: order.config };
    let node = prepare::prepare(order.settings, order.role, order.paths, machine)?;
    let (driver, handle) = Driver::new(node.components()?, node.client.clone(), clock, board);
    attend(&node, &handle);
    tokio::spawn(backup::follow(subject, handle));
    driver.run().await;
    Ok(())
}

fn serve_status(paths: &Paths, board: &Board) {
    let (socket, reader) = (paths.status_socket(), board.subscribe());
    tokio::spawn(async move {
        if let Err(error) = status::serve(&socket, reader).await {
            tracing::error!(error = %chain(&error), "no status");
        }
    });
}

/// Waits until the machine has an address: a cluster cannot tell its pods where the API is without one.
async fn address() -> Machine {
    let mut told = false;
    loop {
        if let Some(machine) = machine::observe() {
            return machine;
        }
        if !told {
            tracing::info!("waiting for a network address");
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn attend(node: &Prepared, handle: &Handle) {
    tokio::spawn(tasks::run(node.clone(), handle.clone()));
    tokio::spawn(care::care(node.clone(), handle.clone()));
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let handle = handle.clone();
        match signal(kind) {
            Ok(mut stream) => {
                tokio::spawn(async move {
                    while stream.recv().await.is_some() {
                        handle.ask(Command::Stop).await;
                    }
                });
            }
            Err(error) => tracing::error!(%error, "deaf to signals"),
        }
    }
}
