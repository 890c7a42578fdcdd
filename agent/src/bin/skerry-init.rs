//! The initial RAM disk's only program: see `skerryd::initrd`.

use std::process;

fn main() {
    // Started by hand on a running system, it would take that system apart.
    if process::id() != 1 {
        eprintln!("skerry-init: only the kernel starts this, as process 1");
        process::exit(2);
    }
    skerryd::initrd::run()
}
