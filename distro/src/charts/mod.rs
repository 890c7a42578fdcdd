//! Helm charts that a controller's configuration names: what is to be done about each, and how helm is told. Nothing here runs.

mod ask;
mod content;
mod files;
mod patience;
mod release;
mod report;
mod step;

pub use ask::{Site, complaint, environment, refresh, roll_back, uninstall, upgrade};
pub use content::Contents;
pub use files::{logins, repositories};
pub use patience::{Patience, limit};
pub use release::{CHART, Mark, NODE, RELEASES, Releases, Revision, State, releases};
pub use report::{FOREIGN, report};
pub use step::{Job, Step, jobs, print};

#[cfg(test)]
mod tests;
