//! `promises --images DIR [--all|PART OF A NAME]`: checks the promises on the images in a folder.

use std::process::ExitCode;

use skerry_qemu::Interrupt;
use skerry_tests::{
    lab::Lab,
    promises,
    report::{Report, Wanted},
};

fn main() -> ExitCode {
    let interrupt = Interrupt::catch();
    let (folder, wanted) = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [flag, folder] if flag == "--images" => (folder.clone(), Wanted::Usual),
        [flag, folder, all] if flag == "--images" && all == "--all" => (folder.clone(), Wanted::All),
        [flag, folder, part] if flag == "--images" => (folder.clone(), Wanted::Named(part.clone())),
        _ => {
            eprintln!("usage: promises --images DIR [--all|PART OF A PROMISE'S NAME]");
            return ExitCode::from(2);
        }
    };
    match Lab::new(folder.into(), interrupt) {
        Ok(lab) => {
            let mut report = Report::new(wanted);
            promises::run(&lab, &mut report);
            report.close()
        }
        Err(broken) => {
            eprintln!("error: {broken}");
            ExitCode::FAILURE
        }
    }
}
