//! Keeps the lease, whatever else takes how long.

use std::{pin::pin, thread, time::Duration};

use tokio::sync::{oneshot, watch};

use crate::{
    api::Client,
    manifests::{Answer, Lead, Tenure},
    node::prepare::Prepared,
    sys::clock::Stopwatch,
};

/// How often the lease is renewed.
const RENEWAL: Duration = Duration::from_secs(5);
/// Bytes of stack of the thread that asks, as of others that do.
const STACK: usize = 512 * 1024;

/// Tells whether this controller leads, for as long as the process lives. One that is alone always does.
pub(super) async fn keep(node: &Prepared, api: &watch::Receiver<Client>, tell: &watch::Sender<bool>) {
    if !node.duty.admits() {
        tell.send_replace(true);
        return;
    }
    let name = &node.settings.node;
    let (clock, mut tenure, mut lead) = (Stopwatch::start(), Tenure::default(), Lead::new(name.clone()));
    loop {
        let asked = clock.elapsed();
        let mut asking = pin!(ask(lead, api.borrow().clone()));
        let answer = match tokio::time::timeout(tenure.left(asked), &mut asking).await {
            Ok(answer) => answer,
            Err(_) => {
                publish(tell, Duration::ZERO);
                asking.await
            }
        };
        let (back, answer) = answer.unwrap_or_else(|| (Lead::new(name.clone()), Answer::Unknown));
        lead = back;
        tenure.heard(answer, asked);
        let left = tenure.left(clock.elapsed());
        publish(tell, left);
        tokio::time::sleep(if left.is_zero() { RENEWAL } else { RENEWAL.min(left) }).await;
    }
}

fn publish(tell: &watch::Sender<bool>, left: Duration) {
    let leads = !left.is_zero();
    tell.send_if_modified(|told| std::mem::replace(told, leads) != leads);
}

/// Asks in a thread of its own: those that wait for other answers may all be taken.
async fn ask(mut lead: Lead, client: Client) -> Option<(Lead, Answer)> {
    let (tell, told) = oneshot::channel();
    let work = move || {
        let answer = lead.ask(&client);
        // Whoever asked may be gone.
        drop(tell.send((lead, answer)));
    };
    thread::Builder::new().name("lease".to_owned()).stack_size(STACK).spawn(work).ok()?;
    told.await.ok()
}
