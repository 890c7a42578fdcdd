//! What goes into the file. Pure, but for reading the catalogue.

use std::collections::BTreeSet;

use skerry_formats::{arch::Arch, name::Name};

use crate::{
    catalog::Catalog,
    component::{Component, ComponentError, Workshop},
    lock::{SetName, SetRequest},
    plan::{self, PlanError},
};

/// All that is decided before anything is fetched or built.
#[derive(Clone, Debug)]
pub struct OneFilePlan {
    /// The architecture of the file and all in it.
    pub arch: Arch,
    /// The component whose program carries the rest.
    pub program: Component,
    /// The components whose files it carries, in the recipe's order.
    pub components: Vec<Component>,
    /// The package sets that their builds may ask for.
    pub requests: Vec<SetRequest>,
}

/// Makes the plan for an architecture, `with` further components.
///
/// # Errors
/// If a data file is missing, misspelt, or contradicts another.
pub fn resolve(catalog: &Catalog, arch: Arch, with: &[Name]) -> Result<OneFilePlan, PlanError> {
    let recipe = catalog.one_file()?;
    let load = |name| Ok::<_, PlanError>(Component::load(&catalog.component(name)?)?);
    let program = load(&recipe.program)?;
    let components = recipe.components.iter().chain(with).map(load).collect::<Result<Vec<_>, _>>()?;
    let wanted: BTreeSet<&str> =
        components.iter().chain([&program]).flat_map(|component| component.package_sets()).collect();
    let requests = plan::beside_requests(&catalog.sets()?, arch)?.into_iter();
    let requests = requests.filter(|(name, _)| wanted.contains(name.as_str())).map(|(_, request)| request).collect();
    Ok(OneFilePlan { arch, program, components, requests })
}

impl OneFilePlan {
    /// Names of the package sets.
    #[must_use]
    pub fn sets(&self) -> Vec<SetName> {
        self.requests.iter().map(|request| request.name.clone()).collect()
    }

    /// Whether the store has all components built, so that no package is needed.
    ///
    /// # Errors
    /// If a compiler is missing, or a package set is not locked.
    pub fn is_built(&self, workshop: &Workshop<'_>) -> Result<bool, ComponentError> {
        for component in self.components.iter().chain([&self.program]) {
            if !workshop.has(component, self.arch)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The plan as text, for `--explain`.
    #[must_use]
    pub fn explain(&self) -> String {
        let components: Vec<String> = self.components.iter().map(|c| format!("{} {}", c.name, c.version)).collect();
        let sets: Vec<String> = self.requests.iter().map(|request| request.name.to_string()).collect();
        format!(
            "arch        {}\nprogram     {}\ncomponents  {}\nsets        {}",
            self.arch,
            self.program.name,
            components.join(", "),
            sets.join(" ")
        )
    }
}
