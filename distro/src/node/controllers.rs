//! Where the cluster's controllers are, as kube-apiservers tell each other: the endpoints of the `kubernetes` service.

use std::time::Duration;

use serde_json::Value;
use skerry_formats::token::Server;
use tokio::sync::watch;

use crate::{api::Client, link};

/// Where they stand; built-in rules let every node read it.
const ENDPOINTS: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

/// How often they are looked at.
const PERIOD: Duration = Duration::from_secs(15);

/// Looks for as long as the process lives. While nobody answers, what was found last stays.
pub async fn follow(api: watch::Receiver<Client>, found: watch::Sender<Vec<Server>>) {
    loop {
        let client = api.borrow().clone();
        match tokio::task::spawn_blocking(move || client.get(ENDPOINTS)).await {
            Ok(Ok(Some(slice))) => {
                let servers = servers(&slice);
                if !servers.is_empty() {
                    found.send_if_modified(|known| {
                        let news = *known != servers;
                        *known = servers;
                        news
                    });
                }
            }
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => tracing::debug!(%error, "controllers not looked up"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// The addresses of an endpoint slice, sorted.
fn servers(slice: &Value) -> Vec<Server> {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    let addresses = endpoints.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
    let mut servers: Vec<Server> =
        addresses.filter_map(|address| link::server(address.as_str()?.parse().ok()?)).collect();
    servers.sort();
    servers.dedup();
    servers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::servers;

    #[test]
    fn controllers_are_the_endpoints_of_the_api() {
        let slice = json!({"endpoints": [{"addresses": ["192.0.2.2"]}, {"addresses": ["192.0.2.1", "fd00::1"]}, {}, {"addresses": ["x"]}]});
        let names: Vec<String> = servers(&slice).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["192.0.2.1", "192.0.2.2", "[fd00::1]"]);
        assert!(servers(&json!({})).is_empty());
    }
}
