//! Rounds against a folder and a cluster that are made up.

mod facts;
mod properties;
mod site;
