//! `skerry boards`.

use serde::Serialize;

use super::{Failure, Host};
use crate::catalog::board::{Board, Verification};

/// Flags of `skerry boards`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    title: &'a str,
    arch: &'static str,
    verification: Verification,
}

/// Lists the boards on standard output.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let names = host.catalog.board_names()?;
    let mut boards = Vec::new();
    for name in names {
        boards.push(host.catalog.board(&name.parse()?)?);
    }
    if args.json {
        let rows: Vec<Row<'_>> = boards.iter().map(row).collect();
        return super::print_json(&rows);
    }
    for board in &boards {
        let row = row(board);
        println!("{:<14} {:<6} {:<6} {}", row.name, row.arch, verification(row.verification), row.title);
    }
    Ok(())
}

fn row(board: &Board) -> Row<'_> {
    let (name, arch) = (board.name.as_str(), board.arch.debian());
    Row { name, title: &board.title, arch, verification: board.verification }
}

fn verification(seen: Verification) -> &'static str {
    match seen {
        Verification::Qemu => "booted",
        Verification::Files => "files",
        Verification::Paper => "paper",
    }
}
