//! `promises --images DIR [PART OF A NAME]`: checks the promises on the images in a folder.

use std::process::ExitCode;

use skerry_qemu::Interrupt;
use skerry_tests::{lab::Lab, promises, report::Report};

fn main() -> ExitCode {
    let interrupt = Interrupt::catch();
    let (folder, only) = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [flag, folder] if flag == "--images" => (folder.clone(), None),
        [flag, folder, only] if flag == "--images" => (folder.clone(), Some(only.clone())),
        _ => {
            eprintln!("usage: promises --images DIR [PART OF A PROMISE'S NAME]");
            return ExitCode::from(2);
        }
    };
    match Lab::new(folder.into(), interrupt) {
        Ok(lab) => {
            let mut report = Report::new(only);
            promises::run(&lab, &mut report);
            report.close()
        }
        Err(broken) => {
            eprintln!("error: {broken}");
            ExitCode::FAILURE
        }
    }
}
