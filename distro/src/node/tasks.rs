//! What a node does once components are there for it: images, then objects, then again whatever changes.

use std::time::Duration;

use tokio::sync::watch;

use super::prepare::Prepared;
use crate::{
    api::{ApiError, Client},
    component::ComponentId,
    config::Provider,
    images,
    join::{self, TokenRecord},
    manifests::{self, Applier, Snapshot},
    network,
    supervisor::{Handle, chain},
    sys::{clock, fs},
};

/// How often the owner's folder is looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// The pause between attempts at what must come about in the end.
const AGAIN: Duration = Duration::from_millis(500);

/// The API as it is reached now.
type Api = watch::Receiver<Client>;

/// Imports images as soon as containerd takes them, and applies objects once the API does; for as long as the process
/// lives.
pub async fn run(node: Prepared, api: Api, handle: Handle) {
    let pods = async {
        if node.duty.works() {
            import(&node, &handle).await;
        }
    };
    let cluster = async {
        if node.duty.controls() {
            handle.ready(ComponentId::KubeApiserver).await;
            apply_builtin(&node, &api).await;
            tokio::join!(label(&node, &api, &handle), follow_folder(&node, &api));
        }
    };
    let network = async {
        if node.duty.runs(ComponentId::Flannel) && matches!(node.settings.provider, Provider::Flannel(_)) {
            network::follow(api.clone(), node.settings.clone(), node.paths.clone()).await;
        }
    };
    tokio::join!(pods, cluster, network);
}

/// Makes tokens known that were made before the cluster ran, as soon as the API takes them.
pub async fn make_known(tokens: Vec<TokenRecord>, api: Api, handle: Handle) {
    if tokens.is_empty() {
        return;
    }
    handle.ready(ComponentId::KubeApiserver).await;
    until_done("tokens not made known", move || {
        let made = join::make_known(&api.borrow().clone(), &tokens, clock::now().floored())?;
        made.iter().for_each(|id| tracing::info!(%id, "token made known"));
        Ok::<_, ApiError>(())
    })
    .await;
}

async fn import(node: &Prepared, handle: &Handle) {
    handle.ready(ComponentId::Containerd).await;
    let paths = node.paths.clone();
    until_done("images not imported", move || {
        images::import(&paths).map(|count| tracing::info!(count, "images imported"))
    })
    .await;
}

async fn apply_builtin(node: &Prepared, api: &Api) {
    match node.image("coredns") {
        Ok(image) => apply_text(api, manifests::builtin(&node.settings, image)).await,
        Err(error) => tracing::error!(%error, "no cluster DNS"),
    }
}

async fn label(node: &Prepared, api: &Api, handle: &Handle) {
    if node.duty.works() {
        handle.ready(ComponentId::Kubelet).await;
        apply_text(api, manifests::role_label(&node.settings)).await;
    }
}

async fn apply_text(api: &Api, text: String) {
    let api = api.clone();
    until_done("built-in objects not applied", move || apply(&mut Applier::new(api.borrow().clone()), &text)).await;
}

/// Objects in the order of the file; the first that fails ends it, since later ones may build on it.
fn apply(applier: &mut Applier, text: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    for object in manifests::objects(text)? {
        applier.apply(&object)?;
    }
    Ok(())
}

/// Files that fail stay "changed" and are tried again; each mistake is told once per change of the file.
async fn follow_folder(node: &Prepared, api: &Api) {
    let folder = node.paths.manifests();
    let (mut applied, mut told) = (Snapshot::new(), Snapshot::new());
    loop {
        match manifests::snapshot(&folder) {
            Ok(now) => {
                for path in manifests::changed(&applied, &now) {
                    let client = api.borrow().clone();
                    let file = path.clone();
                    let work = move || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                        apply(&mut Applier::new(client), &fs::read_to_string(&file)?)
                    };
                    let print = now[&path];
                    match blocking(work).await {
                        Ok(()) => {
                            tracing::info!(file = %path.display(), "applied");
                            applied.insert(path, print);
                        }
                        Err(error) if told.insert(path.clone(), print) != Some(print) => {
                            tracing::warn!(file = %path.display(), error = %chain(&*error), "not applied");
                        }
                        Err(_) => {}
                    }
                }
            }
            Err(error) => tracing::warn!(error = %chain(&error), "manifests not read"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn until_done<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    what: &'static str,
    work: impl Fn() -> Result<(), E> + Clone + Send + 'static,
) {
    let mut told = String::new();
    loop {
        let work = work.clone();
        match blocking(move || work().map_err(Into::into)).await {
            Ok(()) => return,
            Err(error) => {
                let error = chain(&*error);
                if error != told {
                    tracing::warn!(error, "{what}");
                    told = error;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
    tokio::task::spawn_blocking(work).await.map_err(Into::into).and_then(|done| done)
}
