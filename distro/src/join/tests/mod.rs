//! Who asks and who answers, over real connections.

mod api;
mod news;
mod office;

use crate::{config::Lifetimes, pki::Authority, sys::clock};

fn authority() -> Authority {
    Authority::generate("farm", Lifetimes::default().authority, clock::now()).expect("an authority")
}
