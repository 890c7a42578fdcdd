//! A controller's line among the cluster's controllers, kept as long as it runs.

use std::{net::IpAddr, time::Duration};

use tokio::sync::watch;

use super::tasks::blocking;
use crate::{api::Client, config::NodeName, join::Roster, supervisor::chain};

/// How often it is looked at.
const PERIOD: Duration = Duration::from_secs(30);
/// How soon again where the API does not answer, as at the start: until there is a line, another may ask for the name.
const SOON: Duration = Duration::from_secs(3);

/// Keeps the line, with the address at which the others reach this one now, for as long as the process lives.
pub async fn keep(name: NodeName, address: watch::Receiver<IpAddr>, api: watch::Receiver<Client>) {
    loop {
        let (client, name, address) = (api.borrow().clone(), name.clone(), *address.borrow());
        let kept = blocking(move || {
            if !Roster::read(&client)?.is(&name, address) {
                Roster::enter(&client, &name, address)?;
            }
            Ok(())
        });
        let pause = match kept.await {
            Ok(()) => PERIOD,
            Err(error) => {
                tracing::debug!(error = %chain(&*error), "not among the cluster's controllers yet");
                SOON
            }
        };
        tokio::time::sleep(pause).await;
    }
}
