//! NoCloud's meta-data: only a host name is taken from it.

use super::{
    layer::Layer,
    problem::{Problem, Problems, Source},
    raw, schema,
};

/// Reads a meta-data file. Its `local-hostname` is the weakest of host names.
///
/// # Errors
/// All that is wrong with it.
pub fn read_meta_data(source: &Source, bytes: &[u8]) -> Result<Layer, Problems> {
    let problem = |fault| Problems::one(Problem { source: source.clone(), line: None, fault });
    let text = raw::decode(bytes).map_err(problem)?;
    let mut layer = raw::checked(source, text, &schema::META_DATA)?;
    layer.remove("instance-id");
    layer.rename("local-hostname", "hostname");
    Ok(layer)
}
