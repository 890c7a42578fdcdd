//! One source's bytes become a layer.

use serde_yaml_ng::Value;

use super::{
    HEADER, foreign,
    layer::Layer,
    line::line_of,
    path::KeyPath,
    problem::{Fault, Problem, Problems, Source},
    schema,
    shape::{Advice, Inspection, Shape},
};

/// The most bytes that a seed may have.
pub const SIZE_LIMIT: usize = 1 << 20;

/// Whether a source must say in its first line what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Media that other systems read as well: `#cloud-config`, or it may be a script or an archive.
    Required,
    /// Files that only we read.
    Optional,
}

/// Reads a seed.
///
/// # Errors
/// All that is wrong with it on its own.
pub fn read(source: &Source, bytes: &[u8], header: Header) -> Result<Layer, Problems> {
    let problem = |fault| Problems::one(Problem { source: source.clone(), line: None, fault });
    let text = decode(bytes).map_err(problem)?;
    if header == Header::Required && text.lines().next().map(str::trim_end) != Some(HEADER) {
        return Err(Problems::one(Problem { source: source.clone(), line: Some(1), fault: Fault::Header }));
    }
    checked(source, text, &schema::SEED, foreign::instead)
}

/// Parses a text and compares it with a shape; `advice` knows what to do instead of another system's keys.
pub(crate) fn checked(source: &Source, text: &str, shape: &Shape, advice: Advice) -> Result<Layer, Problems> {
    let value: Value = serde_yaml_ng::from_str(text).map_err(|error| {
        let line = error.location().map(|place| place.line());
        Problems::one(Problem { source: source.clone(), line, fault: Fault::Syntax(error.to_string()) })
    })?;
    let Some(value) = without_nothing(value) else { return Ok(Layer::default()) };
    let mut faults = Vec::new();
    Inspection { advice, faults: &mut faults }.value(shape, &value, &KeyPath::default());
    let place = |(path, fault): (KeyPath, Fault)| {
        let line = line_of(text, path.segments());
        Problem { source: source.clone(), line, fault }
    };
    Problems::none_in(faults.into_iter().map(place).collect())?;
    Ok(Layer::new(value, (source, text)))
}

pub(crate) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > SIZE_LIMIT {
        return Err(Fault::TooLarge { limit: SIZE_LIMIT });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Syntax("not UTF-8".to_owned()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A key without a value is as good as no key.
fn without_nothing(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Mapping(map) => {
            let kept = map.into_iter().filter_map(|(key, value)| Some((key, without_nothing(value)?)));
            Some(Value::Mapping(kept.collect()))
        }
        other => Some(other),
    }
}
