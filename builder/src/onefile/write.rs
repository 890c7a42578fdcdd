//! The file: program, packed files, index, trailer.

use std::{
    io::{self, Write},
    path::Path,
};

use skerry_formats::payload::{Index, Trailer, end_of_program};

use super::{OneFile, OneFileError};
use crate::{component::Built, fsx, store::Measured, tree::Content};

/// Writes the file under its name in one step, and before it its digest, as sha256sum reads it.
pub(super) fn write(program: &Built, (index, frame): (Index, &Path), out: &Path) -> Result<OneFile, OneFileError> {
    let program = own_bytes(program)?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = fsx::temp_file_in(parent)?;
    let mut to = Measured::new(io::BufWriter::new(file.as_file_mut()));
    fsx::during("write", out, to.write_all(&program))?;
    let packed = fsx::during("write", out, io::copy(&mut fsx::open(frame)?, &mut to))?;
    let trailer = Trailer::new((program.len() as u64, packed), &index)?;
    let ended = to.write_all(&index.to_json()).and_then(|()| to.write_all(&trailer.to_bytes()));
    fsx::during("write", out, ended.and_then(|()| to.flush()))?;
    let (sha256, size) = to.finish();
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sum = parent.join(format!("{name}.sha256"));
    fsx::write_atomic(&sum, format!("{sha256}  {name}\n").as_bytes())?;
    fsx::persist_as(file, out, 0o755)?;
    Ok(OneFile { path: out.to_owned(), size, sha256, index })
}

/// The program's bytes, if it ends where its own table says: else nobody could tell that a payload was cut off.
fn own_bytes(program: &Built) -> Result<Vec<u8>, OneFileError> {
    let not_one = || OneFileError::Program(program.name.clone());
    let [file] = &program.files[..] else { return Err(not_one()) };
    let bytes = match &file.content {
        Content::Bytes(bytes) => bytes.to_vec(),
        Content::Stored { path, .. } => fsx::read(path)?,
    };
    if end_of_program(&bytes) == Some(bytes.len() as u64) { Ok(bytes) } else { Err(not_one()) }
}
