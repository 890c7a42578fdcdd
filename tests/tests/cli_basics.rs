//! The first things that a newcomer types, and what the tool answers.

use skerry_tests::cli::{Cli, golden};

#[test]
fn boards_are_listed() {
    let cli = Cli::new().unwrap();
    golden("boards.txt", &cli.transcript(&cli.run(&["boards"]).unwrap())).unwrap();
    golden("boards-json.txt", &cli.transcript(&cli.run(&["boards", "--json"]).unwrap())).unwrap();
}

#[test]
fn outside_a_checkout_the_way_out_is_named() {
    let cli = Cli::new().unwrap();
    golden("no-catalogue.txt", &cli.transcript(&cli.program(&["boards"]).finish().unwrap())).unwrap();
}

#[test]
fn misspelt_verbs_and_flags_are_usage_errors_with_the_nearest_word() {
    let cli = Cli::new().unwrap();
    golden("misspelt-verb.txt", &cli.transcript(&cli.run(&["bords"]).unwrap())).unwrap();
    golden("misspelt-flag.txt", &cli.transcript(&cli.run(&["boards", "--jsn"]).unwrap())).unwrap();
}
