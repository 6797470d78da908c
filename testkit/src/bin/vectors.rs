//! Runs vector files against our code: `vectors DIR [--suite S] [--case NAME] [-v]`.
//!
//! Prints each case that differs from Go without being listed in `differences.md` (with `-v` also the listed ones),
//! then a table of suites. Ends with status 1 if anything differed, 2 if it was called wrongly.

use std::path::PathBuf;
use std::process::ExitCode;

use asynq_testkit::vectors::{Options, run};

#[tokio::main]
async fn main() -> ExitCode {
    let Some((folder, options)) = arguments() else {
        eprintln!("usage: vectors DIR [--suite S] [--case NAME] [-v]");
        return ExitCode::from(2);
    };
    // A case that panics is reported as one that differs; how it came to that is of no interest here.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let report = run(&folder, &options).await;
    print!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn arguments() -> Option<(PathBuf, Options)> {
    let (mut folder, mut options) = (None, Options::default());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--suite" => options.suite = Some(words.next()?),
            "--case" => options.case = Some(words.next()?),
            "-v" => options.verbose = true,
            _ if word.starts_with('-') || folder.is_some() => return None,
            _ => folder = Some(PathBuf::from(word)),
        }
    }
    Some((folder?, options))
}
