//! An image: how long it takes to build and to boot, its size, and the memory of the node in it.

mod boot;
mod build;
mod memory;
mod peer;

use skerry_qemu::Interrupt;
use skerry_tests::lab::Lab;

use super::{Args, table::Table};

/// Measures all of it.
pub fn measure(args: &Args, table: &mut Table) -> Result<(), String> {
    let built = build::measure(args, table)?;
    if !args.no_boot {
        let images = args.out.join("images");
        let lab = Lab::new(images, Interrupt::catch()).map_err(|error| error.to_string())?;
        let node = boot::measure(&lab, &built, table)?;
        memory::measure(&node, table)?;
    }
    Ok(())
}
