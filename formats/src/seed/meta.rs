//! NoCloud's other files: of meta-data a host name is taken, of network-config nothing.

use super::{
    foreign,
    layer::Layer,
    path::KeyPath,
    problem::{Fault, Problem, Problems, Source},
    raw, schema,
};

/// Reads a meta-data file. Its `local-hostname` is the weakest of host names.
///
/// # Errors
/// All that is wrong with it.
pub fn read_meta_data(source: &Source, bytes: &[u8]) -> Result<Layer, Problems> {
    let problem = |fault| Problems::one(Problem { source: source.clone(), line: None, fault });
    let text = raw::decode(bytes).map_err(problem)?;
    let mut layer = raw::checked(source, text, &schema::META_DATA, foreign::instead)?;
    layer.remove("instance-id");
    layer.rename("local-hostname", "hostname");
    Ok(layer)
}

/// Refuses a network-config that says anything, rather than ignore it: a node with another address than was asked for is
/// a node that nobody reaches.
///
/// # Errors
/// If it holds more than comments.
pub fn refuse_network_config(source: &Source, bytes: &[u8]) -> Result<Layer, Problems> {
    let says_something = |line: &[u8]| !matches!(line.trim_ascii().first(), None | Some(b'#'));
    if !bytes.split(|byte| *byte == b'\n').any(says_something) {
        return Ok(Layer::default());
    }
    let instead = "describe the interfaces in user-data under `skerry.network`, and leave this file out or empty";
    let fault = Fault::Foreign { path: KeyPath::default().key("network-config"), instead };
    Err(Problems::one(Problem { source: source.clone(), line: None, fault }))
}
