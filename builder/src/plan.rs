//! What a request comes to: board, recipe, components and package sets. Pure, but for reading the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use skerry_formats::{arch::Arch, name::Name, role::Role};

use crate::{
    catalog::{Board, Catalog, DataError, PackageSets, Recipe},
    component::{Component, ComponentError},
    compose::{self, Tables},
    fsx::FsError,
    lock::{BadRequest, SetName, SetRequest},
    report::Explain,
};

/// What the person asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Onto which board.
    pub board: Name,
    /// Which recipe: `default` or one of `recipes/profiles/`.
    pub profile: Name,
    /// The role that is baked in.
    pub role: Option<Role>,
}

/// All that is decided before anything is fetched or built.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The request.
    pub request: Request,
    /// The board.
    pub board: Board,
    /// The base recipe with the profile on top.
    pub recipe: Recipe,
    /// The components, in the recipe's order.
    pub components: Vec<Component>,
    /// Accounts, alternatives and dropped paths.
    pub tables: Tables,
    /// The packages of the root.
    pub root: SetRequest,
    /// The packages beside it: tools, boot files, libraries.
    pub beside: BTreeMap<Name, SetRequest>,
}

/// A plan that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A data file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A component's data file.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// A word in a data file that names no package.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// A folder that cannot be listed.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A folder's or file's name that cannot be used.
    #[error(transparent)]
    Name(#[from] skerry_formats::name::BadName),
    /// Our own host is of an architecture that no tools are locked for.
    #[error("this machine is neither x86_64 nor arm64")]
    Host,
}

impl Explain for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) => error.hint(),
            Self::Component(error) => error.hint(),
            Self::Request(error) => error.hint(),
            Self::Fs(_) | Self::Name(_) | Self::Host => None,
        }
    }

    fn exit_code(&self) -> u8 {
        2
    }
}

/// The architecture of the machine that builds.
///
/// # Errors
/// If it is neither of ours.
pub fn host_arch() -> Result<Arch, PlanError> {
    Arch::of_kernel(std::env::consts::ARCH).ok_or(PlanError::Host)
}

/// The package set with the tools that every build runs.
pub const TOOLBOX: &str = "toolbox";
/// The package set with the files of the boot chain.
pub const BOOT: &str = "boot";

/// Makes the plan of a request.
///
/// # Errors
/// If a data file is missing, misspelt, or contradicts another.
pub fn resolve(catalog: &Catalog, request: Request) -> Result<Plan, PlanError> {
    let board = catalog.board(&request.board)?;
    let recipe = catalog.recipe(&request.profile)?;
    let folders = recipe.components.iter().map(|name| catalog.component(name)).collect::<Result<Vec<_>, _>>()?;
    let components = folders.iter().map(|folder| Component::load(folder)).collect::<Result<Vec<_>, _>>()?;
    for overlay in &recipe.overlays {
        compose::overlay_manifest(&catalog.overlay(overlay)?)?;
    }
    let tables = Tables::load(&catalog.root().join("recipes"))?;
    let root = root_request(&board, &request.profile, &recipe)?;
    let of_components = components.iter().flat_map(Component::package_sets);
    let wanted: BTreeSet<&str> = of_components.chain([TOOLBOX, BOOT]).collect();
    let mut beside = beside_requests(&catalog.sets()?, board.arch)?;
    beside.retain(|name, _| wanted.contains(name.as_str()));
    Ok(Plan { request, board, recipe, components, tables, root, beside })
}

/// Every set that any board and profile of the catalogue needs, for `skerry lock`.
///
/// # Errors
/// As [`resolve`].
pub fn all_requests(catalog: &Catalog) -> Result<Vec<SetRequest>, PlanError> {
    let mut requests: BTreeMap<SetName, SetRequest> = BTreeMap::new();
    let sets = catalog.sets()?;
    for name in catalog.board_names()? {
        let board = catalog.board(&name.parse()?)?;
        for profile in catalog.profile_names()? {
            let profile: Name = profile.parse()?;
            let root = root_request(&board, &profile, &catalog.recipe(&profile)?)?;
            requests.insert(root.name.clone(), root);
        }
        let beside = beside_requests(&sets, board.arch)?;
        requests.extend(beside.into_values().map(|request| (request.name.clone(), request)));
    }
    Ok(requests.into_values().collect())
}

fn root_request(board: &Board, profile: &Name, recipe: &Recipe) -> Result<SetRequest, BadRequest> {
    let own = [&board.kernel.package];
    let packages = recipe.packages.iter().chain(&board.packages).chain(&board.firmware.packages).chain(own);
    SetRequest::new(&format!("root/{}/{profile}", board.name), board.arch, packages, &recipe.exclude)
}

/// The package sets beside a root's own, for a target.
pub(crate) fn beside_requests(sets: &PackageSets, target: Arch) -> Result<BTreeMap<Name, SetRequest>, PlanError> {
    let host = host_arch()?;
    let request = |(name, set): (&Name, &crate::catalog::PackageSet)| {
        let arch = set.side.arch(host, target);
        Ok((name.clone(), SetRequest::new(&format!("{name}/{arch}"), arch, &set.packages, &set.exclude)?))
    };
    sets.iter().map(request).collect()
}

impl Plan {
    /// All package sets that this build may ask for.
    #[must_use]
    pub fn requests(&self) -> Vec<SetRequest> {
        std::iter::once(&self.root).chain(self.beside.values()).cloned().collect()
    }

    /// The name under which the lock holds a set beside the root's.
    #[must_use]
    pub fn set(&self, name: &str) -> Option<&SetName> {
        self.beside.iter().find(|(known, _)| known.as_str() == name).map(|(_, request)| &request.name)
    }

    /// The plan as text, for `--explain`.
    #[must_use]
    pub fn explain(&self) -> String {
        let role = self.request.role.map_or("none: the node waits for a seed".to_owned(), |role| role.to_string());
        let named = self.root.packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let components = self.components.iter().map(|c| format!("{} {}", c.name, c.version)).collect::<Vec<_>>();
        let overlays = self.recipe.overlays.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut lines = vec![
            format!("board       {} ({}, {})", self.board.name, self.board.arch, self.board.title),
            format!("profile     {} ({})", self.request.profile, self.recipe.title),
            format!("role        {role}"),
            format!("packages    {} named: {named}", self.root.packages.len()),
            format!("components  {}", components.join(", ")),
            format!("overlays    {}", overlays.join(", ")),
            format!("modules     {} in the root", self.recipe.modules.len() + self.board.kernel.modules.len()),
            format!("initrd      {}", self.board.kernel.initrd_modules.join(" ")),
            format!("cmdline     {}", self.board.kernel.cmdline.join(" ")),
            format!("units       {}", self.recipe.units.join(" ")),
        ];
        lines.extend(self.beside.values().map(|set| format!("set         {}: {} named", set.name, set.packages.len())));
        lines.join("\n")
    }
}
