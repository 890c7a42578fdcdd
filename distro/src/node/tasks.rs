//! What a node does once components are there for it: images, then objects, then again whatever changes.

use std::{os::unix::net::UnixStream, time::Duration};

use tokio::sync::watch;

use super::{charts, prepare::Prepared, stacks, standing::Standing};
use crate::{
    api::{ApiError, Client},
    component::ComponentId,
    config::{MetricsServer, Provider, Runtime},
    encryption, images,
    join::{self, TokenRecord},
    manifests::{self, Applier},
    network,
    supervisor::{Board, Handle, chain},
    sys::clock,
};

/// The pause between attempts at what must come about in the end.
const AGAIN: Duration = Duration::from_millis(500);

/// The API as it is reached now.
type Api = watch::Receiver<Client>;

/// Imports images as soon as the runtime takes them, and applies objects once the API does; for as long as the process
/// lives.
pub async fn run(node: Prepared, api: Api, (handle, board): (Handle, Board)) {
    let pods = async {
        if node.duty.works() && takes_images(&node, &handle).await {
            import(&node).await;
            owners_images(&node).await;
        }
    };
    let cluster = async {
        if node.duty.controls() {
            handle.ready(ComponentId::KubeApiserver).await;
            apply_builtin(&node, &api).await;
            let leads = watch::Sender::new(false);
            let charts = charts::follow(charts::Yard::new(&node, &api, board), leads.subscribe(), &handle);
            tokio::join!(
                label(&node, &api, &handle),
                metrics(&node, &api),
                stacks::follow(&node, &api, &leads),
                keyring(&node, &api),
                charts
            );
        }
    };
    let network = async {
        if ComponentId::Flannel.runs_on(node.duty) && matches!(node.settings.provider, Provider::Flannel(_)) {
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

/// Waits until the node's runtime answers, and says whether it takes images: ours does, and so does any other containerd.
async fn takes_images(node: &Prepared, handle: &Handle) -> bool {
    let Runtime::External(socket) = &node.settings.runtime else {
        handle.ready(ComponentId::Containerd).await;
        return true;
    };
    let mut told = Told::default();
    while let Err(error) = UnixStream::connect(socket) {
        if told.is_news(&error.to_string()) {
            tracing::warn!(%error, "no container runtime answers at `{}`: the node waits for it", socket.display());
        }
        tokio::time::sleep(AGAIN).await;
    }
    let ctr = node.ctr();
    let answer = blocking(move || Ok(ctr.answers()?)).await;
    if let Err(error) = &answer {
        tracing::warn!(
            error = %chain(&**error),
            "`{}` is no containerd: sk8s imports no images there, and `spec.images` must name a registry that it pulls them from",
            socket.display()
        );
    }
    answer.is_ok()
}

async fn import(node: &Prepared) {
    let (ctr, paths) = (node.ctr(), node.paths.clone());
    until_done("images not imported", move || {
        images::import(&ctr, &paths).map(|count| tracing::info!(count, "images imported"))
    })
    .await;
}

/// Keeps up with the owner's folder of images, for as long as the process lives.
async fn owners_images(node: &Prepared) {
    let mut folder = images::Folder::default();
    loop {
        let (ctr, paths) = (node.ctr(), node.paths.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let done = folder.look(&ctr, &paths);
            (folder, done)
        });
        let Ok((back, done)) = looked.await else { return };
        folder = back;
        if let Err(error) = done {
            tracing::warn!(error = %chain(&error), "the folder of images is not looked at");
        }
        tokio::time::sleep(images::PERIOD).await;
    }
}

async fn apply_builtin(node: &Prepared, api: &Api) {
    match node.image("coredns") {
        Ok(image) => apply_text(api, manifests::builtin(&node.settings, image)).await,
        Err(error) => tracing::error!(%error, "no cluster DNS"),
    }
}

/// What nobody answers for must not stay a part of the API: whoever looks what there is would look in vain, and no namespace could go.
async fn metrics(node: &Prepared, api: &Api) {
    let text = manifests::metrics_server(node.standing.authority());
    match node.settings.metrics_server {
        MetricsServer::On => apply_text(api, text).await,
        MetricsServer::Off => {
            let api = api.clone();
            until_done("the API of metrics that nobody answers for is still there", move || {
                let objects = manifests::objects(&text)?;
                let removed = manifests::withdraw(&mut Applier::new(api.borrow().clone()), &objects)?;
                if removed > 0 {
                    tracing::info!(removed, "metrics are no longer a part of the API");
                }
                Ok::<_, Failure>(())
            })
            .await;
        }
    }
}

/// Keeps up with the keys of Secrets. A mistake is told once.
async fn keyring(node: &Prepared, api: &Api) {
    let Standing::Owner(identity) = &node.standing else { return };
    let mut told = String::new();
    loop {
        let (client, node, authority) = (api.borrow().clone(), node.clone(), identity.ca.key.clone());
        match blocking(move || Ok(encryption::follow(&client, &node.shelf(), &authority)?)).await {
            Ok(()) => told.clear(),
            Err(error) => {
                let error = chain(&*error);
                if error != told {
                    tracing::warn!(error, "keys of Secrets may be old");
                    told = error;
                }
            }
        }
        tokio::time::sleep(encryption::PERIOD).await;
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
fn apply(applier: &mut Applier, text: &str) -> Result<(), Failure> {
    for object in manifests::objects(text)? {
        applier.apply(&object)?;
    }
    Ok(())
}

async fn until_done<E: Into<Failure>>(what: &'static str, work: impl Fn() -> Result<(), E> + Clone + Send + 'static) {
    let mut told = Told::default();
    loop {
        let work = work.clone();
        match blocking(move || work().map_err(Into::into)).await {
            Ok(()) => return,
            Err(error) => {
                let error = chain(&*error);
                if told.is_news(&error) {
                    tracing::warn!(error, "{what}");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// What was told last, so that the same is told once.
#[derive(Debug, Default)]
pub(super) struct Told(String);

impl Told {
    /// Remembers a text; whether it is another than the last.
    pub(super) fn is_news(&mut self, text: &str) -> bool {
        let news = self.0 != text;
        text.clone_into(&mut self.0);
        news
    }

    /// Forgets it: all is well again.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Anything that went wrong.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Into::into).and_then(|done| done)
}
