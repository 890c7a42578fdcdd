//! An image, from the first of its registry's servers that has it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use skerry_formats::arch::Arch;

use super::{
    document::{self, BadDocument, Blob, Parsed},
    download::{Sink, download},
    endpoint::Endpoint,
    error::{Cause, PullError},
    hosts::{self, Host},
    logins::Logins,
    reference::{Reference, Version},
    send::Server,
    trust::{self, System},
};
/// Indexes may lead to indexes, but not for ever.
const DEPTH: u32 = 4;

/// Registries, as their folder and the owner's credentials say.
pub struct Registries {
    folder: PathBuf,
    logins: Logins,
    system: System,
    servers: Mutex<BTreeMap<String, Arc<Vec<Server>>>>,
}

/// A document with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What other documents say of it.
    pub blob: Blob,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// An image, but for its layers' bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Its name.
    pub reference: Reference,
    /// Its manifest's media type.
    pub media_type: &'static str,
    /// Its manifest.
    pub manifest: Document,
    /// Its configuration.
    pub config: Document,
    /// Its layers, from the lowest up.
    pub layers: Vec<Blob>,
}

impl Registries {
    /// Registries with a folder of `hosts.toml`, which need not be there.
    #[must_use]
    pub fn new(folder: PathBuf, logins: Logins) -> Self {
        Self { folder, logins, system: System::load(), servers: Mutex::default() }
    }

    /// What an image is for an architecture.
    ///
    /// # Errors
    /// If no server has it, or what one has is not what it must be.
    pub fn pull(&self, reference: &Reference, arch: Arch) -> Result<Pulled, Box<PullError>> {
        let may = |host: &Host| host.may.pull && (host.may.resolve || matches!(reference.version, Version::Digest(_)));
        self.first(reference, may, |server| pulled(server, reference, arch))
    }

    /// Gives all bytes of one of an image's layers to `sink`, with their offset; some twice if the line breaks.
    ///
    /// # Errors
    /// If no server has it, what one has is not what it must be, or `sink` does not take it.
    pub fn layer(&self, of: (&Reference, &Blob), sink: &mut Sink<'_>) -> Result<(), Box<PullError>> {
        let (reference, blob) = of;
        self.first(reference, |host| host.may.pull, |server| download(server, (&reference.repository, blob), sink))
    }

    /// The first good answer of a registry's servers; else what was wrong with the last that said something.
    fn first<T>(
        &self,
        image: &Reference,
        may: impl Fn(&Host) -> bool,
        mut ask: impl FnMut(&Server) -> Result<T, Cause>,
    ) -> Result<T, Box<PullError>> {
        let failed =
            |server: &str, cause| Box::new(PullError { image: image.clone(), server: server.to_owned(), cause });
        let all = self.servers(&image.registry).map_err(|cause| failed(&image.registry, cause))?;
        let mut why: Option<Box<PullError>> = None;
        for server in all.iter().filter(|server| may(&server.host)) {
            let cause = match ask(server) {
                Ok(answer) => return Ok(answer),
                Err(cause) => cause,
            };
            let error = failed(&server.host.at.url(), cause);
            // A file of ours is no better at another server.
            if matches!(error.cause, Cause::File(_)) {
                return Err(error);
            }
            why = Some(match why {
                None => error,
                Some(before) => before.or(error),
            });
        }
        Err(why.unwrap_or_else(|| failed(&image.registry, Cause::Nobody)))
    }

    fn servers(&self, registry: &str) -> Result<Arc<Vec<Server>>, Cause> {
        let mut known = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(servers) = known.get(registry) {
            return Ok(Arc::clone(servers));
        }
        let all = hosts::of(&self.folder, registry)?;
        let servers = all.into_iter().map(|host| self.server(registry, host)).collect::<Result<Vec<_>, _>>()?;
        let servers = Arc::new(servers);
        known.insert(registry.to_owned(), Arc::clone(&servers));
        Ok(servers)
    }

    fn server(&self, registry: &str, host: Host) -> Result<Server, Cause> {
        let own = Endpoint::of(registry).authority == host.at.authority;
        Ok(Server {
            agent: trust::agent(&host, &self.system)?,
            login: self.logins.at(&host.at.authority).cloned(),
            mirrored: (!own).then(|| registry.to_owned()),
            admitted: Mutex::default(),
            host,
        })
    }
}

/// Follows from a name to the image for an architecture, each step measured by the digest that the one before gave.
fn pulled(server: &Server, reference: &Reference, arch: Arch) -> Result<Pulled, Cause> {
    let repository = &reference.repository;
    let mut version = reference.version.clone();
    for _ in 0..DEPTH {
        let wanted = match &version {
            Version::Tag(_) => None,
            Version::Digest(digest) => Some(digest),
        };
        let given = server.manifest(repository, &version.to_string(), wanted)?;
        match document::parse(&given.bytes, &given.media_type, arch)? {
            Parsed::Index(blob) => version = Version::Digest(blob.digest),
            Parsed::Manifest(media_type, config, layers) => {
                let found = server.config(repository, &config)?;
                document::check_config(&found.bytes, arch)?;
                let manifest = Document { blob: given.blob, bytes: given.bytes };
                let config = Document { blob: found.blob, bytes: found.bytes };
                return Ok(Pulled { reference: reference.clone(), media_type, manifest, config, layers });
            }
        }
    }
    Err(BadDocument::Kind("an index of indexes of indexes".to_owned()).into())
}
