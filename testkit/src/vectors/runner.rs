//! [`run`]: all cases of a folder, one after the other.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use serde_json::value::RawValue;

use super::file::{PureCase, Suite, parse};
use super::{Difference, Known, Report, Verdict, pure, scenario};
use crate::RedisServer;

/// Which cases to run, and what to print.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only this suite.
    pub suite: Option<String>,
    /// Only cases whose name contains this.
    pub case: Option<String>,
    /// Also print what is listed.
    pub verbose: bool,
}

/// What running a case showed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) differences: Vec<Difference>,
    /// Operations that the case needs and we do not have.
    pub(super) missing: BTreeSet<String>,
}

impl Outcome {
    pub(super) fn missing(operation: impl Into<String>) -> Self {
        Self { missing: [operation.into()].into(), ..Self::default() }
    }
}

/// Runs the vector files of a folder against a Redis of its own, and prints each case that differs.
///
/// The folder's `differences.md` says what may differ; where it has none, that of `tests/vectors` does.
pub async fn run(folder: &Path, options: &Options) -> Report {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/differences.md");
    let own = folder.join("differences.md");
    let has_own = own.exists();
    let known = Known::read(if has_own { &own } else { &home });
    let redis = RedisServer::start().await;
    let mut report = Report::default();
    for path in files(folder) {
        let suite = Suite::read(&path);
        if options.suite.as_ref().is_some_and(|wanted| *wanted != suite.name) {
            continue;
        }
        for case in &suite.cases {
            let name = Suite::name_of(case);
            if options.case.as_ref().is_some_and(|wanted| !name.contains(wanted)) {
                continue;
            }
            let Outcome { differences, missing } = run_case(&suite.kind, case, &redis).await;
            let verdict = known.judge(&suite.name, &name, &differences, &missing);
            let tally = report.suites.entry(suite.name.clone()).or_default();
            match &verdict {
                Verdict::Passed => tally.passed += 1,
                Verdict::Listed(reasons) => {
                    tally.listed += 1;
                    if options.verbose {
                        println!("listed {} / {name}", suite.name);
                        for reason in reasons {
                            println!("    because {reason}");
                        }
                        for Difference { what, detail } in &differences {
                            println!("    {what}: {detail}");
                        }
                    }
                }
                Verdict::Failed(failures) => {
                    tally.failed += 1;
                    println!("FAILED {} / {name}", suite.name);
                    for failure in failures {
                        println!("    {failure}");
                    }
                }
            }
        }
    }
    // Another folder need not have every case of the list, nor has a part of this one.
    if has_own && options.suite.is_none() && options.case.is_none() {
        report.unused = known.unused();
    }
    report
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

/// Runs a case; should our code panic, that is a difference too.
async fn run_case(kind: &str, case: &RawValue, redis: &RedisServer) -> Outcome {
    let run = async {
        if kind == "scenario" {
            scenario::run(&parse(case), redis).await
        } else {
            pure::run(kind, &parse::<PureCase>(case), redis).await
        }
    };
    AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        Outcome { differences: vec![Difference::new("panic", "does not panic", text)], ..Outcome::default() }
    })
}
